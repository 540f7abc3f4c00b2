import { randomBytes } from "node:crypto";
import { HistoryError, readHistorySync } from "../migrations/history/history";
import { encodePayload } from "../migrations/history/payload";
import { readSqlFileSync, SqlFileError } from "../migrations/history/sql-file";
import { bundleMigrator, bundleRdsSigner } from "../migrator/cli/bundle";
import { kubeconfigFile } from "../report/reader/kubectl";
import { printable } from "../text/printable";
import { EXIT, OpsFailure } from "./failure";
import { Kubectl } from "./kubectl";
import type { OpsJobArgs } from "./objects";
import { helpText, type OpsCommand, readCommand } from "./options";
import { seeOtherJobs } from "./other-jobs";
import { type Output, runJob } from "./run-job";
import { type OpsStack, readOpsStack, stacksIn } from "./stack";
import { verbOf } from "./verbs";

/** One key press may arrive twice within this time: once from the terminal and once passed on by npm. */
const ONE_PRESS_MS = 1_000;

/**
 * Runs `npm run ops -- …`: a verb of the migrator as a Kubernetes Job, with the stack's own settings.
 * @returns the exit status: the verb's own, or one of `EXIT`
 */
async function main(args: readonly string[], output: Output): Promise<number> {
  const directory = process.cwd();
  if (args[0] === "help" || args.includes("--help")) {
    process.stdout.write(helpText());
    return 0;
  }
  const command = readCommand(args, stacksIn(directory));
  const stack = readOpsStack(directory, command.stack, command);
  const job = jobOf(command, stack);
  const { namespace, app } = stack.settings;
  const given = kubeconfigFile(stack.kubeconfig);
  try {
    const kubectl = new Kubectl({ namespace, context: stack.context, kubeconfig: given.path });
    const changes = verbOf(command.verb)?.changes?.(command.given);
    await seeOtherJobs(kubectl, { app: app.name, changes: changes !== undefined }, output.say);
    for (const line of announcement(job, changes)) output.say(line);
    const stop = stopSignal(job.name, output.say);
    return await runJob(kubectl, job, stop, output);
  } finally {
    given.remove();
  }
}

/** @throws OpsFailure if the migrations or the file can't be read */
function jobOf(command: OpsCommand, stack: OpsStack): OpsJobArgs {
  const unique = randomBytes(3).toString("hex");
  try {
    return {
      ...{ command, stack },
      name: `${stack.settings.app.name}-ops-${command.verb}-${unique}`,
      file: command.file === undefined ? undefined : readSqlFileSync(command.file),
      payload: encodePayload(readHistorySync(stack.directory)),
      migrator: bundleMigrator(),
      signer: stack.settings.database.auth === "iam" ? bundleRdsSigner() : undefined,
    };
  } catch (error) {
    if (!(error instanceof HistoryError || error instanceof SqlFileError)) throw error;
    throw new OpsFailure(
      EXIT.usage,
      error.message,
      "not connected to; nothing was changed.",
      "correct it, then the same command again",
    );
  }
}

/** Returns lines that say what will run where, and what it will change. */
function announcement({ command, stack, name, file }: OpsJobArgs, changes: string | undefined): string[] {
  const { namespace, migrations } = stack.settings;
  const what = file ? `sql ${file.name} (sha-256 ${file.checksum.slice(0, 12)}…)` : command.verb;
  const where = `stack ${stack.name}, namespace ${namespace}, ${stack.context === undefined ? "the kubeconfig's current context" : `context ${stack.context}`}`;
  return [
    `${what} on ${where}`,
    `  Job ${name}, image ${migrations.image}`,
    `  ${changes === undefined ? "It only reads the database." : `It changes the database: it ${changes}.`}`,
  ];
}

/** Turns the first Ctrl-C, SIGTERM or SIGHUP into an aborted signal. The second one ends this command at once. */
function stopSignal(job: string, say: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted && Date.now() - first < ONE_PRESS_MS) return;
    if (controller.signal.aborted) {
      say(`Leaving. Job ${job} is being deleted, and may still run for 30 s.`);
      process.exit(130);
    }
    first = Date.now();
    controller.abort(name);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  return controller.signal;
}

const terminal: Output = {
  log: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${printable(line)}\n`),
};

void main(process.argv.slice(2), terminal).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    if (!(error instanceof OpsFailure)) throw error;
    process.stderr.write(printable(error.lines));
    process.exitCode = error.exit;
  },
);
