import { resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { printable } from "../text/printable";
import { CloudError } from "./cloud/client";
import { openOutput } from "./commands/output";
import type { Call, Options, Verb } from "./commands/verb";
import { verbs } from "./commands/verbs";
import { stackDirectory } from "./engine/state";
import { chooseEngine, isEngine } from "./engines";
import { readLastRun } from "./last-run";
import { isHidden, readStack, type Stack, type StackOptions } from "./stack";
import { stateDirectoryProblems } from "./state-directory";
import { systemErrorInWords } from "./system-error";
import { UsageError } from "./usage-error";

/** The exit status for wrong usage. */
const BAD_USAGE = 2;
const CHECKOUT = resolve(__dirname, "..");

interface Typed extends Omit<Options, "json"> {
  stack: string;
  config: string[];
  json?: boolean;
  engine: string;
  stateDir: string;
  cwd: string;
}

/** `npm run local -- VERB …`: runs the whole release on this machine. */
export async function main(argv: string[]): Promise<number> {
  let status = 0;
  const program = new Command("npm run local --")
    .description(
      "Runs the release on this machine: the Pulumi program as it is, on a local RDS and a local Kubernetes.",
    )
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError();
  for (const verb of verbs) {
    // All problems are reported together by `check`, so commander must not stop at a missing argument.
    const words = (verb.arguments ?? "").replace("<", "[").replace(">", "]");
    withOptions(program.command(`${verb.name} ${words}`.trim()).description(verb.summary), verb)
      .usage(`[options] ${verb.arguments ?? ""}`.trim())
      .allowUnknownOption()
      .allowExcessArguments()
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        status = await run(verb, command);
      });
  }
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Either help was asked for or the verb is unknown; commander has printed the message already.
    return error.exitCode === 0 ? 0 : BAD_USAGE;
  }
  return status;
}

function withOptions(command: Command, verb: Verb): Command {
  const collect = (value: string, all: string[]) => [...all, value];
  command
    .option("--stack <name>", "the stack; each has its own database and app", "local")
    .option(
      "--config <key=value>",
      "a setting for this command, such as app.image=notes:1.1.0; repeatable",
      collect,
      [],
    )
    .option("--json", "one JSON object a line instead of text")
    .option(
      "--engine <engine>",
      "embedded, pulumi (the CLI on PATH), or auto: the one that holds the stack, at first embedded",
      "auto",
    )
    .option("--state-dir <dir>", "where state, database and logs are kept", resolve(CHECKOUT, ".local"))
    .option("--cwd <dir>", "the folder of another Pulumi program", CHECKOUT);
  for (const { flags, description } of verb.options ?? []) command.option(flags, description);
  return command;
}

async function run(verb: Verb, command: Command): Promise<number> {
  const typed = command.opts<Typed>();
  const output = openOutput(typed.json === true);
  try {
    return await verb.run(readCall(verb, command, typed, output));
  } catch (error) {
    return report(error, output);
  }
}

/** @throws UsageError with all problems of the command line and the stack's settings */
function readCall(verb: Verb, command: Command, typed: Typed, output: Call["output"]): Call {
  const unknown = verb.passesOptions ? [] : command.args.filter((word) => word.startsWith("-") && word.length > 1);
  const words = command.args.filter((word) => !unknown.includes(word));
  const options: Options = {
    json: output.json,
    instance: typed.instance,
    admin: typed.admin === true,
    follow: typed.follow === true,
  };
  const problems = unknown.map((word) =>
    /^--(target|continue-on-error)\b/.test(word)
      ? `${word}: only the Pulumi CLI has this option (pulumi ${verb.name} ${word}); npm run local releases everything`
      : `unknown option ${word} of ${verb.name}; see npm run local -- ${verb.name} --help`,
  );
  const most = (verb.arguments ?? "").includes("...") ? Number.POSITIVE_INFINITY : command.registeredArguments.length;
  if (words.length > most)
    problems.push(
      `${verb.name} takes ${most === 0 ? "no argument" : most}: ${words.slice(most).join(" ")} is too much`,
    );
  problems.push(...(verb.check?.({ arguments: words, options }) ?? []));
  for (const [option, value] of Object.entries({ "--state-dir": typed.stateDir, "--cwd": typed.cwd })) {
    if (value.trim() === "") problems.push(`${option} is empty; it must name a folder`);
  }
  const asked = typed.engine;
  if (!isEngine(asked)) problems.push(`--engine is ${JSON.stringify(asked)}; it must be auto, embedded or pulumi`);
  const location = [
    ...(command.getOptionValueSource("stateDir") === "cli" ? ["--state-dir", typed.stateDir] : []),
    ...(command.getOptionValueSource("cwd") === "cli" ? ["--cwd", typed.cwd] : []),
  ];
  try {
    const asTyped = { directory: resolve(typed.cwd), name: typed.stack, stateDir: typed.stateDir, location };
    const given = readStack({ ...asTyped, overrides: typed.config });
    problems.push(...stateDirectoryProblems(given.stateDir, given.project, given.name, verb.use));
    if (problems.length > 0 || !isEngine(asked)) throw new UsageError([]);
    const stack = goingOn(verb, given, asTyped);
    const engine = () => chooseEngine(asked, stack);
    const stackDir = stackDirectory(stack.stateDir, stack.project, stack.name);
    return { arguments: words, options, stack, engine, stackDir, cloudDir: resolve(stackDir, "cloud"), output };
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError([...problems, ...error.problems]);
    throw error;
  }
}

/** Returns the stack with the settings of its last command, for a verb that goes on with these when none are typed. */
function goingOn(verb: Verb, stack: Stack, asTyped: Omit<StackOptions, "overrides">): Stack {
  if (!verb.goesOn || stack.overrides.length > 0) return stack;
  const last = readLastRun(stackDirectory(stack.stateDir, stack.project, stack.name))?.overrides ?? [];
  return readStack({ ...asTyped, overrides: last.filter((each) => !isHidden(each)) });
}

function report(thrown: unknown, output: Call["output"]): number {
  const usage = thrown instanceof UsageError;
  const problems = usage ? thrown.problems : [];
  const message = messageOf(thrown);
  if (output.json) output.event({ kind: "error", message, ...(usage ? { problems } : {}) });
  for (const line of usage ? problems : [message]) process.stderr.write(`${printable(line)}\n`);
  return usage ? BAD_USAGE : 1;
}

/** The message for the user. An unexpected error shows its stack trace only if DEBUG is set. */
function messageOf(thrown: unknown): string {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const inWords = systemErrorInWords(error);
  if (inWords !== undefined) return inWords;
  if (error instanceof CloudError || EXPECTED.has(error.name)) return error.message;
  return [
    `This command ended by a mistake of its own: ${error.message}`,
    "What was done until then is in the state. To see what runs: npm run local -- status",
    process.env["DEBUG"]
      ? error.stack
      : "Where in the program it was is shown by the same command with DEBUG=1 before it.",
  ].join("\n");
}

/** The names of errors whose message is complete without a stack trace. */
const EXPECTED = new Set([
  "CommandError",
  "UsageError",
  "StackLockedError",
  "StateError",
  "CheckpointLost",
  "UnreadableFile",
  "CloudUnreachable",
  "PulumiMissing",
]);

if (require.main === module) {
  // `npm run local -- up | head` closes the pipe early. The release must go on without a reader.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = status;
    },
    (error) => {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exitCode = 1;
    },
  );
}
