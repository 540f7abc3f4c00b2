import { CommandFailure, EXIT } from "../by-hand/failure";
import { type JobByHand, migratorProgram } from "../by-hand/job-by-hand";
import { Kubectl } from "../by-hand/kubectl";
import { wrongCommand } from "../by-hand/options";
import { seeOtherJobs } from "../by-hand/other-jobs";
import { type Output, runJob } from "../by-hand/run-job";
import { type CommandStack, readCommandStack, stacksIn } from "../by-hand/stack";
import { runCommand, stopSignal, terminal } from "../by-hand/terminal";
import { commandByHand } from "../by-hand/typed-command";
import { HistoryError, type Migration } from "../migrations/history/history";
import { readSqlFileSync, SqlFileError } from "../migrations/history/sql-file";
import { rehearse } from "../rehearsal/run-rehearsal";
import { REHEARSAL_SECTIONS } from "../rehearsal/stack";
import { kubeconfigFile } from "../report/reader/kubectl";
import { formatDuration, parseDuration } from "../text/short-duration";
import { runDrafting } from "./drafts";
import { runHotfix } from "./hotfix";
import { helpText, type OpsCommand, readCommand } from "./options";
import { prune } from "./prune/prune";
import { opsRun } from "./run";
import { verbOf } from "./verbs";

/**
 * Runs `npm run ops -- …`: a verb of the migrator as a Kubernetes Job, with the stack's own settings; the removal of old
 * backups; or a rehearsal.
 * @returns the exit status: the verb's own, or one of `EXIT`
 */
async function main(args: readonly string[], output: Output): Promise<number> {
  const directory = process.cwd();
  if (args[0] === "help" || args.includes("--help")) {
    process.stdout.write(helpText());
    return 0;
  }
  const command = readCommand(args, stacksIn(directory));
  if (command.verb === "prune") return pruneStack(directory, command, output);
  if (command.verb === "rehearse") return rehearseStack(directory, command, output);
  const stack = readCommandStack(directory, command.stack, command);
  const { run, file } = runOf(command, stack);
  return inCluster(stack, async (kubectl) => {
    const { app } = stack.settings;
    const changes = verbOf(command.verb)?.changes?.(command.given);
    await seeOtherJobs(kubectl, { app: app.name, changes: changes !== undefined }, output.say);
    for (const line of announcement(run, file, changes)) output.say(line);
    const leaving = () => `Leaving. Job ${run.name} is being deleted, and may still run for 30 s.`;
    const stop = stopSignal(leaving, output.say);
    const { hotfix: title, name } = command.given;
    if (name !== undefined)
      return runDrafting({ run, json: command.json }, output, (read) => runJob(kubectl, run, stop, read));
    if (file === undefined || typeof title !== "string") return runJob(kubectl, run, stop, output);
    const hotfix = { run, file, title, json: command.json };
    return runHotfix(hotfix, output, (read) => runJob(kubectl, run, stop, read));
  });
}

async function pruneStack(directory: string, command: OpsCommand, output: Output): Promise<number> {
  const stack = readCommandStack(directory, command.stack, command, ["backup", "rehearsal"]);
  const stop = stopSignal(() => "Leaving. The same command again goes on.", output.say);
  const ops = commandByHand("ops");
  return withinTime(command, () =>
    inCluster(stack, (kubectl) => prune({ command, stack, kubectl, ops, stop }, output)),
  );
}

async function rehearseStack(directory: string, command: OpsCommand, output: Output): Promise<number> {
  const stack = readCommandStack(directory, command.stack, command, REHEARSAL_SECTIONS);
  const stop = stopSignal(() => "Leaving. The copy may be there still; the same command again removes it.", output.say);
  const text = (option: string) => (typeof command.given[option] === "string" ? command.given[option] : undefined);
  const run = {
    ...{
      stack,
      stop,
      json: command.json,
      timeout: timeoutOf(command),
      namespace: command.namespace,
    },
    ...{ to: text("to"), outputs: text("outputs"), identity: text("identity") },
  };
  return inCluster(stack, (kubectl) => rehearse({ ...run, kubectl }, output));
}

/**
 * Returns `--timeout` in milliseconds; undefined if it isn't given.
 * @throws CommandFailure if it is no time
 */
function timeoutOf({ given }: OpsCommand): number | undefined {
  const text = given["timeout"];
  if (typeof text !== "string") return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  const mistake = `--timeout is "${text}", and must be a time such as 30m or 3h`;
  throw wrongCommand([mistake], `${commandByHand("ops")} help`);
}

/**
 * Ends this process when `--timeout` is over. A removal may be ended at any instant; the next one goes on.
 * @throws CommandFailure if it is no time
 */
async function withinTime<T>(command: OpsCommand, work: () => Promise<T>): Promise<T> {
  const milliseconds = timeoutOf(command);
  if (milliseconds === undefined) return work();
  const timer = setTimeout(() => {
    const what = `It took longer than ${formatDuration(milliseconds)} (--timeout).`;
    const database = "untouched; what is told above was removed, and nothing else.";
    process.stderr.write(new CommandFailure(EXIT.failed, what, database, "the same command again").lines);
    process.exit(EXIT.failed);
  }, milliseconds);
  return work().finally(() => clearTimeout(timer));
}

async function inCluster<T>(stack: CommandStack, work: (kubectl: Kubectl) => Promise<T>): Promise<T> {
  const given = kubeconfigFile(stack.kubeconfig);
  try {
    const { namespace } = stack.settings;
    return await work(new Kubectl({ namespace, context: stack.context, kubeconfig: given.path }));
  } finally {
    given.remove();
  }
}

/** @throws CommandFailure if the migrations or the file can't be read */
function runOf(command: OpsCommand, stack: CommandStack): { run: JobByHand; file: Migration | undefined } {
  try {
    const file = command.file === undefined ? undefined : readSqlFileSync(command.file);
    return { run: opsRun(command, stack, migratorProgram(stack), file), file };
  } catch (error) {
    if (!(error instanceof HistoryError || error instanceof SqlFileError)) throw error;
    throw new CommandFailure(
      EXIT.usage,
      error.message,
      "not connected to; nothing was changed.",
      "correct it, then the same command again",
    );
  }
}

/** Returns lines that say what will run where, and what it will change. */
function announcement(
  { verb, stack, name }: JobByHand,
  file: Migration | undefined,
  changes: string | undefined,
): string[] {
  const { namespace, migrations } = stack.settings;
  const what = file ? `sql ${file.name} (sha-256 ${file.checksum.slice(0, 12)}…)` : verb;
  const where = `stack ${stack.name}, namespace ${namespace}, ${stack.context === undefined ? "the kubeconfig's current context" : `context ${stack.context}`}`;
  return [
    `${what} on ${where}`,
    `  Job ${name}, image ${migrations.image}`,
    `  ${changes === undefined ? "It only reads the database." : `It changes the database: it ${changes}.`}`,
  ];
}

runCommand(() => main(process.argv.slice(2), terminal));
