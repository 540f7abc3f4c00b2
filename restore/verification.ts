import { randomBytes } from "node:crypto";
import { CommandFailure, EXIT } from "../by-hand/failure";
import { migratorProgram } from "../by-hand/job-by-hand";
import { eventOf } from "../by-hand/job-event";
import { Kubectl } from "../by-hand/kubectl";
import { removeEarlier, seeOtherJobs } from "../by-hand/other-jobs";
import type { ReleaseFacts } from "../by-hand/release-facts";
import { type Output, runJob } from "../by-hand/run-job";
import type { CommandStack } from "../by-hand/stack";
import { literal } from "../components/literal";
import { HistoryError } from "../migrations/history/history";
import { kubeconfigFile } from "../report/reader/kubectl";
import { MIGRATOR_FOLDER } from "../settings/pod/migration-pod";
import type { RestoredCopy } from "./target";

/** What the verification of a copy found. */
export interface Verified {
  /** The exit status of the migrator: 0 if nothing is missing. */
  readonly status: number;
  /** What it found, by the fields of the migrator's event `restored`; undefined if it didn't get that far. */
  readonly found: Readonly<Record<string, unknown>> | undefined;
}

const EXPECTED_FILE = "expected.json";

/**
 * Looks at a copy over SQL: schema version, rows, statistics. A Job in the cluster does it with the stack's own Secret,
 * because the database can be reached from there; only the server, or the database on it, is the copy's.
 * @throws CommandFailure if the Job can't be run
 */
export async function verifyCopy(
  {
    stack: given,
    copy,
    facts,
    stop,
  }: { stack: CommandStack; copy: RestoredCopy; facts: ReleaseFacts; stop: AbortSignal },
  output: Output,
): Promise<Verified> {
  const stack = stackOf(given, copy);
  const { namespace, app } = stack.settings;
  const kubeconfig = kubeconfigFile(stack.kubeconfig);
  try {
    const kubectl = new Kubectl({ namespace, context: stack.context, kubeconfig: kubeconfig.path });
    await seeOtherJobs(kubectl, { app: app.name, changes: false }, output.say);
    let found: Verified["found"];
    const log = (line: string) => {
      const event = eventOf(line);
      if (event?.["event"] === "restored") found = event;
      else output.say(`  ${typeof event?.["message"] === "string" ? event["message"] : line}`);
    };
    const run = {
      stack,
      name: `${app.name}-ops-restored-${randomBytes(3).toString("hex")}`,
      verb: "restored",
      arguments: [...placeOf(copy), ...["--expect", `${MIGRATOR_FOLDER}/${EXPECTED_FILE}`]],
      rerun: "the same command again",
      json: true,
      subject: copy.name,
      text: {
        suffix: "expected",
        file: EXPECTED_FILE,
        text: JSON.stringify({ ...expected(facts), estimates: copy.rows }),
      },
      program: programOf(stack),
    };
    await removeEarlier(kubectl, run, output.say);
    output.say(`Job ${run.name}: looks at it over SQL`);
    const status = await runJob(kubectl, run, stop, { log, say: output.say });
    return { status, found };
  } finally {
    kubeconfig.remove();
  }
}

/** Returns the migrator's options that lead to a copy: another server, or another database of the same one. */
function placeOf({ endpoint, database, into }: RestoredCopy): string[] {
  if (into) return [];
  return database === undefined ? ["--server", `${endpoint.host}:${endpoint.port}`] : ["--database", literal(database)];
}

/** Returns the stack with the connection of a copy that has a Secret of its own. */
function stackOf(stack: CommandStack, { into }: RestoredCopy): CommandStack {
  if (!into) return stack;
  const { kind, parameters, endpointCheck } = stack.settings.database;
  const secret = { name: into.secret, migrationKey: into.key };
  return {
    ...stack,
    settings: {
      ...stack.settings,
      database: { kind, parameters, endpointCheck, secret, auth: "password", migration: { secret: {}, file: {} } },
    },
  };
}

/** Returns what the live release recorded of the database after its migrations. */
function expected({ outputs }: ReleaseFacts): object {
  if (!outputs) return {};
  const { releaseId, migrations, sizes } = outputs;
  return { release: releaseId, last: migrations.last, sizes };
}

function programOf(stack: CommandStack) {
  try {
    return migratorProgram(stack);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CommandFailure(
      EXIT.usage,
      error.message,
      "the copy is there; it was not looked at.",
      "correct the migrations folder, then the same command again",
    );
  }
}
