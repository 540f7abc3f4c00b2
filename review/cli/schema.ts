import type { Migration } from "../../migrations/history/history";
import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import { comparePrisma } from "../../prisma/compare";
import type { Comparison } from "../../prisma/difference";
import { type FoundSchema, findSchema, isUsual, readSchema } from "../../prisma/find-schema";
import { PrismaSyntaxError, parsePrisma } from "../../prisma/parse";
import type { Finding } from "../finding";
import { judgeSchema, unreadSchema } from "../rules/schema";
import { readBaseSchema } from "./base";
import { ReviewSettingsError } from "./settings-error";

/** A folder of migrations. */
export interface Folder {
  readonly directory: string;
  readonly history: readonly Migration[];
}

/** The commit that the branch is compared with, and its migrations. */
export interface SchemaBase {
  readonly ref: string;
  readonly history: readonly Migration[];
}

/**
 * Compares the Prisma schema with the migrations of a folder. The SQL parser must be loaded.
 * @param named the schema that `--schema` or `review.schema` names. Default: the one that belongs to the folder.
 * @param base the commit whose differences are no news. Default: every difference is news.
 * @returns undefined if no schema is named and none is found
 * @throws ReviewSettingsError when there is no schema of the given name
 */
export async function reviewSchema(
  { directory, history }: Folder,
  named: string | undefined,
  base: SchemaBase | undefined,
): Promise<Finding[] | undefined> {
  const source = schemaSource(directory, named);
  if (!source) return undefined;
  const files = readSchema(source.path);
  if (!files || files.length === 0)
    throw new ReviewSettingsError(`There is no Prisma schema ${source.path} (--schema, or review.schema).`);
  const compared = compare(files, history, source.external);
  if ("unread" in compared) return [unreadSchema(compared.unread, source)];
  if (!base || compared.differences.length === 0) return judgeSchema(compared, source);
  const before = compare(await readBaseSchema(source.path, base.ref), base.history, source.external);
  return judgeSchema(compared, source, "unread" in before ? undefined : before);
}

/**
 * Finds the Prisma schema of a folder of migrations.
 * @param named the schema that `--schema` or `review.schema` names
 */
export function schemaSource(directory: string, named: string | undefined): FoundSchema | undefined {
  return named === undefined ? findSchema(directory) : { path: named, found: isUsual(named) };
}

/** Compares the files of a schema with a history, or says why they can't be read. */
function compare(
  files: readonly PrismaFile[],
  history: readonly Migration[],
  external: readonly string[] | undefined,
): Comparison | { unread: string } {
  try {
    const datamodel = parsePrisma(files);
    const { provider = "postgresql" } = datamodel;
    return /^(postgres|postgresql)$/.test(provider)
      ? comparePrisma(datamodel, history, external)
      : { unread: `it is for ${provider}` };
  } catch (error) {
    if (!(error instanceof PrismaSyntaxError)) throw error;
    return { unread: error.message };
  }
}
