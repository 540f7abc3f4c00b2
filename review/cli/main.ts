import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { HistoryError, readHistorySync } from "../../migrations/history/history";
import { releasedUntil } from "../../migrations/history/until";
import { commandLine } from "../../text/command-line";
import { printable } from "../../text/printable";
import { formatReview, type ReviewFormat, reviewFormats } from "../formats";
import { judgeRelease, loadParser, type Review } from "../review";
import { runSquawk } from "../squawk";
import { BaseError } from "./base";
import { deployed, once, readLive } from "./deployed";
import type { LiveStack } from "./live-stack";
import { type Asked, RunError, tryMigrations } from "./run";
import type { Folder, SchemaBase } from "./schema";
import type { StackSettings } from "./settings";
import { ReviewSettingsError } from "./settings-error";

/** A further format in which the review is written, and its file. */
interface Also {
  format: ReviewFormat;
  file: string;
}

interface Options {
  migrations?: string;
  stack?: string;
  namespace?: string;
  base?: string;
  since?: string;
  format: ReviewFormat;
  stats?: string;
  output?: string;
  also: Also[];
  squawk: boolean;
  schema?: string | boolean;
  run?: boolean;
  seed?: string;
  postgres?: string;
  proof?: boolean;
}

/** The values of `--postgres`: those of `review.postgres`. */
const majors = ["13", "14", "15", "16", "17", "18"];

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
    .option<Also[]>(
      "--also <FORMAT=FILE>",
      "write it in another format too; can be repeated",
      (text, before) => [...before, parseAlso(text)],
      [],
    )
    .option("--no-squawk", "leave squawk out")
    .option(
      "--schema <PATH>",
      "Prisma schema to compare with the migrations: a file or a folder (default: review.schema, or found as Prisma does)",
    )
    .option("--no-schema", "compare no Prisma schema")
    .option("--run", "run the new migrations on a temporary Postgres (default where the variable CI is set)")
    .option("--no-run", "run nothing")
    .option("--seed <FILE>", "with --run: SQL that loads rows before the new migrations run (default: review.seed)")
    .addOption(
      new Option("--postgres <MAJOR>", "with --run: the major version (default: review.postgres, or 18)").choices(
        majors,
      ),
    )
    .option("--proof", "with --run: write the proof for --stack that policy.proof asks for, if nothing is refused")
    .addHelpText("after", "\nExit status: 0 nothing but notes, 1 warnings, 2 errors or refused, 3 not reviewed.")
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });
  try {
    program.parse([...argv], { from: "user" });
    return await review(program.opts<Options>(), out, err);
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

async function review(options: Options, out: (text: string) => void, err: (text: string) => void): Promise<number> {
  const stack = options.stack ?? (options.migrations === undefined ? "local" : undefined);
  const settings: StackSettings =
    stack === undefined ? {} : (await settingsFiles()).readStackSettings(process.cwd(), stack, options.namespace);
  const directory = options.migrations ?? settings.migrations?.directory;
  if (directory === undefined)
    throw new ReviewSettingsError(
      `Pulumi.${stack}.yaml doesn't set migrations.directory. Set it, or pass --migrations DIR.`,
    );
  checkOptions(options);
  const whole = readHistorySync(directory);
  // A proof is one of the migrations that `up` releases.
  const folder = options.proof ? releasedUntil(directory, whole, settings.migrations?.until).migrations : whole;
  const live = once(() => readLive(options.stack));
  const { history, applied, notes } = await deployed(
    options,
    { directory, folder, since: settings.review?.since },
    live,
  );
  const known = new Set(applied.map(({ name }) => name));
  const pending = folder.filter(({ name }) => !known.has(name));
  // squawk runs in its own process while the review goes on.
  const squawk = options.squawk ? runSquawk(directory, pending) : undefined;
  const schema = options.schema ?? settings.review?.schema;
  const trial = tryMigrations(
    asked(options.run),
    {
      history,
      applied: known,
      postgres: options.postgres === undefined ? settings.review?.postgres : Number(options.postgres),
      seed: options.seed ?? settings.review?.seed,
      interrupt: settings.migrations?.runner !== "command",
    },
    { directory, schema, ref: options.base },
  );
  // Its error is thrown where its result is awaited, also if it fails while the review still judges.
  trial.catch(() => undefined);
  const needsSizes = pending.length > 0 && applied.length > 0;
  const [{ sizes, unknown }] = await Promise.all([
    options.stats !== undefined ? givenSizes(options.stats) : needsSizes ? live() : ({} as LiveStack),
    loadParser(),
  ]);
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
    stats: sizes,
    ...(settings.review && {
      policy: { refuse: settings.review.refuse },
      acknowledgements: settings.review.acknowledgements,
    }),
    ...(settings.migrations?.runner && { runner: settings.migrations.runner }),
  });
  const result = judged(await squawk, await trial);
  const shown = {
    notes,
    ...(unknown !== undefined && { sizesUnknown: unknown }),
    directory: relative(process.cwd(), resolve(directory)),
  };
  const text = formatReview(result, options.format, shown);
  if (options.output === undefined) out(text);
  else writeResult("--output", options.output, text);
  for (const { format, file } of options.also) writeResult("--also", file, formatReview(result, format, shown));
  if (!options.proof) return statusOf(result);
  const { proved, line } = (await import("./proof.js")).proveReview(process.cwd(), stack!, history, result);
  err(`${printable(line)}\n`);
  return proved ? statusOf(result) : 2;
}

/** @throws InvalidArgumentError when it names no format and file */
function parseAlso(text: string): Also {
  const format = reviewFormats.find((each) => text.startsWith(`${each}=`));
  const file = format && text.slice(format.length + 1);
  if (!format || !file) throw new InvalidArgumentError(`Write FORMAT=FILE, with one of ${reviewFormats.join(", ")}.`);
  return { format, file };
}

/** @throws ReviewSettingsError when options contradict each other */
function checkOptions({ base, since, proof, stack, run }: Options): void {
  if (base !== undefined && since !== undefined) throw new ReviewSettingsError("Pass --base or --since, not both.");
  if (!proof) return;
  if (stack === undefined) throw new ReviewSettingsError("Pass --stack NAME with --proof: it is for one stack.");
  if (base !== undefined)
    throw new ReviewSettingsError("Pass --proof without --base: it is for the migrations of this folder.");
  if (asked(run) === "no")
    throw new ReviewSettingsError("Pass --run with --proof: it proves that the migrations have run.");
}

async function givenSizes(file: string): Promise<LiveStack> {
  return { sizes: (await settingsFiles()).readSizes(file) };
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
function writeResult(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new ReviewSettingsError(`${option} ${file} can't be written: ${(error as Error).message}.`);
  }
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
