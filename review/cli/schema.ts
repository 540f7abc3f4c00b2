import type { Migration } from "../../migrations/history/history";
import { comparePrisma } from "../../prisma/compare";
import { type FoundSchema, findSchema, isUsual, readSchema } from "../../prisma/find-schema";
import { PrismaSyntaxError, parsePrisma } from "../../prisma/parse";
import type { Finding } from "../finding";
import { judgeSchema, unreadSchema } from "../rules/schema";
import { ReviewSettingsError } from "./settings-error";

/**
 * Compares the Prisma schema with the migrations of a folder. The SQL parser must be loaded.
 * @param named the schema that `--schema` or `review.schema` names. Default: the one that belongs to the folder.
 * @returns undefined if no schema is named and none is found
 * @throws ReviewSettingsError when there is no schema of the given name
 */
export function reviewSchema(
  directory: string,
  history: readonly Migration[],
  named: string | undefined,
): Finding[] | undefined {
  const source: FoundSchema | undefined =
    named === undefined ? findSchema(directory) : { path: named, found: isUsual(named) };
  if (!source) return undefined;
  const files = readSchema(source.path);
  if (!files || files.length === 0)
    throw new ReviewSettingsError(`There is no Prisma schema ${source.path} (--schema, or review.schema).`);
  try {
    const datamodel = parsePrisma(files);
    const { provider } = datamodel;
    if (provider !== undefined && !/^(postgres|postgresql)$/.test(provider))
      return [unreadSchema(`it is for ${provider}`, source)];
    return judgeSchema(comparePrisma(datamodel, history), source);
  } catch (error) {
    if (!(error instanceof PrismaSyntaxError)) throw error;
    return [unreadSchema(error.message, source)];
  }
}
