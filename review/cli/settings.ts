import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { findingClasses } from "../../settings/finding-classes";
import { readNamedFile, yamlProblem } from "../../text/named-file";
import type { Sizes } from "../../text/table-size";
import { ReviewSettingsError } from "./settings-error";

const reviewSettings = z.object({
  since: z.string().optional(),
  refuse: z.array(z.enum(findingClasses)).default([]),
  acknowledgements: z
    .array(z.object({ migration: z.string(), finding: z.string(), checksum: z.string(), reason: z.string() }).strict())
    .default([]),
});

const stackSettings = z.object({
  migrations: z
    .object({ directory: z.string().optional(), runner: z.enum(["migrator", "command"]).optional() })
    .optional(),
  review: reviewSettings.optional(),
});

/** The parts of a stack's settings that the review needs. */
export type StackSettings = z.infer<typeof stackSettings>;

/** Reads `Pulumi.STACK.yaml`, whichever project's name its keys have. */
export function readStackSettings(directory: string, stack: string): StackSettings {
  const file = join(directory, `Pulumi.${stack}.yaml`);
  const config = configOf(textOf("--stack", file), file);
  const own = Object.entries(config).filter(([key]) => /^[^:]+:(migrations|review)$/.test(key));
  return checked(stackSettings, Object.fromEntries(own.map(([key, value]) => [key.split(":")[1], value])), file);
}

/** @throws ReviewSettingsError */
function configOf(text: string, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ReviewSettingsError(`${file} is not YAML: ${yamlProblem(error)}`);
  }
  return checked(z.object({ config: z.record(z.string(), z.unknown()).nullish() }), value ?? {}, file).config ?? {};
}

/** @throws ReviewSettingsError */
function textOf(option: string, file: string): string {
  const read = readNamedFile(file);
  if (read === undefined) throw new ReviewSettingsError(`There is no ${file} (${option}).`);
  if ("problem" in read) throw new ReviewSettingsError(`${file} (${option}) can't be read: ${read.problem}.`);
  return read.text;
}

const sizes = z
  .object({
    recordedAt: z.string().exactOptional(),
    tables: z.record(z.string(), z.object({ rows: z.number().nonnegative(), bytes: z.number().nonnegative() })),
  })
  .strict();

/** Reads a file of table sizes: `{"recordedAt": "…", "tables": {"User": {"rows": 1, "bytes": 8192}}}`. */
export function readSizes(file: string): Sizes {
  const text = textOf("--stats", file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ReviewSettingsError(`--stats ${file} can't be read as JSON: ${(error as Error).message}`);
  }
  return checked(sizes, value, file);
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
