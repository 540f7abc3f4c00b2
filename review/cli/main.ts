import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { HistoryError, readHistorySync } from "../../migrations/history/history";
import { commandLine } from "../../text/command-line";
import { printable } from "../../text/printable";
import { formatReview, type ReviewFormat, reviewFormats } from "../formats";
import { appliedUntil, judgeRelease, loadParser, type Review } from "../review";
import { runSquawk } from "../squawk";
import { BaseError, readBase } from "./base";
import { type Asked, RunError, tryMigrations } from "./run";
import type { Folder, SchemaBase } from "./schema";
import type { StackSettings } from "./settings";
import { ReviewSettingsError } from "./settings-error";
import type { StackSizes } from "./stack-sizes";

interface Options {
  migrations?: string;
  stack?: string;
  namespace?: string;
  base?: string;
  since?: string;
  format: ReviewFormat;
  stats?: string;
  output?: string;
  squawk: boolean;
  schema?: string | boolean;
  run?: boolean;
}

/** The exit status when nothing was reviewed, because of a wrong option or a file that can't be read. */
const notReviewed = 3;

/**
 * Runs `npm run review -- …`, which prints what the new migrations would do. It needs neither a database of yours nor
 * credentials.
 *
 * @returns the exit status: 0 nothing but notes, 1 warnings, 2 errors or refused, 3 not reviewed
 */
export async function main(
  argv: readonly string[],
  out: (text: string) => void,
  err: (text: string) => void,
): Promise<number> {
  const program = new Command(commandLine("review"))
    .description(
      "Reviews database migrations before they are released: what they lock, destroy and break, and how to write them instead.",
    )
    .option("--migrations <DIR>", "folder of Prisma migrations (default: migrations.directory of the stack)")
    .option(
      "--stack <NAME>",
      "take folder, runner, what is refused and what is acknowledged from Pulumi.NAME.yaml (default without --migrations: local)",
    )
    .option("--namespace <NAME>", "namespace of the settings in that file (default: release, or the project's name)")
    .option("--base <REF>", "review what this branch adds to REF, as after a merge")
    .option("--since <NAME>", "review what comes after this migration")
    .addOption(new Option("--format <FORMAT>", "how to print it").choices(reviewFormats).default("text"))
    .option("--stats <FILE>", "sizes of the tables, as JSON (default: those in the outputs of --stack)")
    .option("--output <FILE>", "write it to a file instead")
    .option("--no-squawk", "leave squawk out")
    .option(
      "--schema <PATH>",
      "Prisma schema to compare with the migrations: a file or a folder (default: review.schema, or found as Prisma does)",
    )
    .option("--no-schema", "compare no Prisma schema")
    .option("--run", "run the new migrations on a temporary Postgres (default where the variable CI is set)")
    .option("--no-run", "run nothing")
    .addHelpText("after", "\nExit status: 0 nothing but notes, 1 warnings, 2 errors or refused, 3 not reviewed.")
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });
  try {
    program.parse([...argv], { from: "user" });
    return await review(program.opts<Options>(), out);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : notReviewed;
    if (!isForeseen(error)) throw error;
    err(`${printable(error.message)}\nNothing was reviewed; no database of yours is involved.\n`);
    return notReviewed;
  }
}

/** Returns whether the error is a mistake in the options or files. It is then shown without a stack trace. */
function isForeseen(error: unknown): error is Error {
  return (
    error instanceof HistoryError ||
    error instanceof BaseError ||
    error instanceof ReviewSettingsError ||
    error instanceof RunError ||
    (error instanceof Error && "syscall" in error)
  );
}

/**
 * Loads the module that checks settings and sizes. It is loaded only on demand, because that takes longer than a
 * review.
 */
function settingsFiles() {
  return import("./settings.js");
}

async function review(options: Options, out: (text: string) => void): Promise<number> {
  const stack = options.stack ?? (options.migrations === undefined ? "local" : undefined);
  const settings: StackSettings =
    stack === undefined ? {} : (await settingsFiles()).readStackSettings(process.cwd(), stack, options.namespace);
  const directory = options.migrations ?? settings.migrations?.directory;
  if (directory === undefined)
    throw new ReviewSettingsError(
      `Pulumi.${stack}.yaml doesn't set migrations.directory. Set it, or pass --migrations DIR.`,
    );
  if (options.base !== undefined && options.since !== undefined)
    throw new ReviewSettingsError("Pass --base or --since, not both.");
  const folder = readHistorySync(directory);
  const { history, applied, notes } =
    options.base !== undefined
      ? await readBase(directory, options.base, folder)
      : { history: folder, applied: since(folder, options.since ?? settings.review?.since), notes: [] as string[] };
  if (applied.length === 0 && options.base === undefined)
    notes.push("If the database is not empty, pass --base or --since.");
  const known = new Set(applied.map(({ name }) => name));
  const pending = folder.filter(({ name }) => !known.has(name));
  // squawk runs in its own process while the review goes on.
  const squawk = options.squawk ? runSquawk(directory, pending) : undefined;
  const schema = options.schema ?? settings.review?.schema;
  const trial = tryMigrations(
    asked(options.run),
    { history, applied: known, ...settings.review },
    { directory, schema, ref: options.base },
  );
  // Its error is thrown where its result is awaited, also if it fails while the review still judges.
  trial.catch(() => undefined);
  const [sizes] = await Promise.all([sizesFor(options, pending.length > 0 && applied.length > 0), loadParser()]);
  const judged = judgeRelease({
    history,
    applied,
    schema: await schemaFindings(
      { directory, history: folder },
      schema,
      options.base === undefined
        ? undefined
        : { ref: options.base, history: history.filter(({ name }) => known.has(name)) },
    ),
    ...("sizes" in sizes && { stats: sizes.sizes }),
    ...(settings.review && {
      policy: { refuse: settings.review.refuse },
      acknowledgements: settings.review.acknowledgements,
    }),
    ...(settings.migrations?.runner && { runner: settings.migrations.runner }),
  });
  const result = judged(await squawk, await trial);
  const text = formatReview(result, options.format, {
    notes,
    ...("unknown" in sizes && { sizesUnknown: sizes.unknown }),
    directory: relative(process.cwd(), resolve(directory)),
  });
  if (options.output === undefined) out(text);
  else writeResult(options.output, text);
  return statusOf(result);
}

/**
 * Reads the sizes of tables from the file of `--stats`, or else from the outputs of the stack that was asked for.
 *
 * @param needed whether the review judges migrations of a database that has tables
 */
async function sizesFor({ stats, stack }: Options, needed: boolean): Promise<StackSizes | Record<string, never>> {
  if (stats !== undefined) return { sizes: (await settingsFiles()).readSizes(stats) };
  if (stack === undefined || !needed) return {};
  return (await import("./stack-sizes.js")).stackSizes(process.cwd(), stack);
}

/** CI services set the variable CI. */
function asked(option: boolean | undefined): Asked {
  const isCi = !["", "0", "false"].includes(process.env["CI"] ?? "");
  return option === undefined ? (isCi ? "if-possible" : "no") : option ? "yes" : "no";
}

/** Compares the Prisma schema with the migrations. The parser of schemas is loaded only for that. */
async function schemaFindings(folder: Folder, schema: string | boolean | undefined, base: SchemaBase | undefined) {
  if (schema === false) return undefined;
  const { reviewSchema } = await import("./schema.js");
  return reviewSchema(folder, schema === true ? undefined : schema, base);
}

/** @throws ReviewSettingsError when the file can't be written */
function writeResult(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new ReviewSettingsError(`--output ${file} can't be written: ${(error as Error).message}.`);
  }
}

function since(history: Parameters<typeof appliedUntil>[0], name: string | undefined) {
  if (name === undefined) return [];
  if (!history.some((migration) => migration.name === name))
    throw new ReviewSettingsError(`Unknown migration --since ${name}: the folder has none of that name.`);
  return appliedUntil(history, name);
}

function statusOf({ refused, findings, acknowledged }: Review): number {
  if (refused.length > 0) return 2;
  const known = new Set(acknowledged.map(({ finding }) => finding));
  const open = findings.filter((finding) => !known.has(finding));
  if (open.some(({ severity }) => severity === "error")) return 2;
  return open.some(({ severity }) => severity === "warning") ? 1 : 0;
}

if (require.main === module)
  void main(
    process.argv.slice(2),
    (text) => process.stdout.write(text),
    (text) => process.stderr.write(text),
  ).then((status) => {
    process.exitCode = status;
  });
