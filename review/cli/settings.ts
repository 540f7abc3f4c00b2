import { join } from "node:path";
import { z } from "zod";
import { settingsNamespace } from "../../settings/namespace";
import { parseSettings } from "../../settings/parse";
import type { Settings } from "../../settings/schema";
import { keysOf, namespaceValues, readKeys, stackConfig } from "../../settings/stack-file";
import { counted } from "../../text/counted";
import { readNamedFile } from "../../text/named-file";
import type { Sizes } from "../../text/table-size";
import { ReviewSettingsError } from "./settings-error";

/** The parts of a stack's settings that the review needs. */
export type StackSettings = Partial<Pick<Settings, "migrations" | "review">>;

/**
 * Reads the sections `migrations` and `review` of a stack's settings, by the same rules as `pulumi up`. The other
 * sections are not checked, because some values, such as the image, may be known only at the release.
 *
 * @param directory The folder of the Pulumi program. If it has no Pulumi.yaml, the keys may begin with any project's
 *   name.
 * @param namespace The namespace of the settings, as in `settingsFromConfig`.
 * @throws ReviewSettingsError that lists everything that is wrong
 */
export function readStackSettings(directory: string, stack: string, namespace?: string): StackSettings {
  const file = join(directory, `Pulumi.${stack}.yaml`);
  const unread: string[] = [];
  const projectFile = readKeys(join(directory, "Pulumi.yaml"), unread) ?? {};
  const stackFile = readKeys(file, unread);
  if (stackFile === undefined) throw new ReviewSettingsError(`There is no ${file} (--stack).`);
  if (unread.length > 0) throw new ReviewSettingsError(unread.join("\n"));
  const [named] = Object.keys(keysOf(stackFile["config"])).filter((key) => /:(migrations|review)$/.test(key));
  const project = String(projectFile["name"] ?? named?.split(":")[0] ?? "");
  const config = stackConfig(project, projectFile, stackFile);
  const raw = namespaceValues(namespace ?? settingsNamespace(project, config.keys()), config);
  const wanted = (["migrations", "review"] as const).filter((section) => section in raw);
  const { settings, problems } = parseSettings(raw, wanted);
  if (settings) return settings;
  throw new ReviewSettingsError(
    `${counted(problems.length, "invalid setting")} in ${file}:\n${problems.map((each) => `  - ${each}`).join("\n")}\n` +
      "Correct the file (every key is in docs/settings.md) and run the same command again.",
  );
}

/** @throws ReviewSettingsError when the file doesn't exist or can't be read */
function textOf(option: string, file: string): string {
  const read = readNamedFile(file);
  if (read === undefined) throw new ReviewSettingsError(`There is no ${file} (${option}).`);
  if ("problem" in read) throw new ReviewSettingsError(`${file} (${option}) can't be read: ${read.problem}.`);
  return read.text;
}

/** The sizes of tables, in a file of `--stats` and in the outputs of a release. */
export const sizesSchema = z
  .object({
    recordedAt: z.string().exactOptional(),
    tables: z.record(z.string(), z.object({ rows: z.number().nonnegative(), bytes: z.number().nonnegative() })),
  })
  .strict();

/**
 * Reads a file of table sizes, such as `{"recordedAt": "…", "tables": {"User": {"rows": 1, "bytes": 8192}}}`.
 *
 * @throws ReviewSettingsError that lists everything that is wrong
 */
export function readSizes(file: string): Sizes {
  const text = textOf("--stats", file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ReviewSettingsError(`--stats ${file} can't be read as JSON: ${(error as Error).message}`);
  }
  return checked(sizesSchema, value, file);
}

function checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `  ${path.length === 0 ? "" : `${path.join(".")}: `}${message}`,
  );
  throw new ReviewSettingsError(
    `${file} has ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}:\n${problems.join("\n")}`,
  );
}
