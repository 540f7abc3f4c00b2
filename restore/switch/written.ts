import { randomBytes } from "node:crypto";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { JobByHand } from "../../by-hand/job-by-hand";
import { migratorProgram } from "../../by-hand/job-by-hand";
import { eventOf } from "../../by-hand/job-event";
import type { Kubectl } from "../../by-hand/kubectl";
import { removeEarlier } from "../../by-hand/other-jobs";
import { type Output, runJob } from "../../by-hand/run-job";
import { literal } from "../../components/literal";
import type { WrittenSince } from "../../migrator/checks/written";
import type { WrittenBase } from "../../migrator/verbs/written";
import { MIGRATOR_FOLDER } from "../../settings/pod/migration-pod";
import { counted } from "../../text/counted";
import type { Whereabouts } from "../target";
import type { SwitchStack } from "./stack";

const BASE_FILE = "base.json";

/** What the migrator's verb `written` found. */
export interface Written {
  /** The time from which on Postgres has counted; null if nothing tells it. */
  readonly at: string | null;
  readonly since: WrittenSince | null;
  /** The estimated rows of each table now. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Looks what was written to a database since a moment, by a Job in the cluster.
 * @param stack the stack with the settings that lead to the database
 * @param copy the copy, in place of the database of the settings
 * @throws CommandFailure if the Job can't be run, or fails
 */
export async function lookWritten(
  kubectl: Kubectl,
  {
    stack,
    copy,
    base,
    stop,
  }: {
    stack: SwitchStack;
    copy: Whereabouts | undefined;
    base: WrittenBase | null;
    stop: AbortSignal;
  },
  output: Output,
): Promise<Written> {
  let found: Written | undefined;
  let failure = "";
  const log = (line: string) => {
    const event = eventOf(line);
    if (event?.["event"] === "written") found = event["found"] as Written;
    else if (!["connected", "connect.waiting"].includes(String(event?.["event"])))
      output.say(`  ${typeof event?.["message"] === "string" ? event["message"] : line}`);
    if (typeof event?.["message"] === "string") failure = event["message"];
  };
  const run: JobByHand = {
    stack,
    name: `${stack.settings.app.name}-ops-written-${randomBytes(3).toString("hex")}`,
    verb: "written",
    arguments: [...placeOf(copy), ...["--expect", `${MIGRATOR_FOLDER}/${BASE_FILE}`]],
    rerun: "the same command again",
    json: true,
    subject: copy ? "copy" : "source",
    text: { suffix: "base", file: BASE_FILE, text: JSON.stringify(base === null ? {} : { base }) },
    program: migratorProgram(stack),
  };
  await removeEarlier(kubectl, run, output.say);
  const status = await runJob(kubectl, run, stop, { log, say: output.say });
  if (status === 0 && found) return found;
  throw new CommandFailure(
    status === 0 ? EXIT.failed : status,
    stop.aborted ? "Interrupted." : `It isn't known what was written: ${failure}`,
    "nothing was moved.",
    "the same command again",
  );
}

/** Returns the migrator's options that lead to a copy: another server, or another database of the same one. */
function placeOf(copy: Whereabouts | undefined): string[] {
  if (!copy) return [];
  const { database, endpoint } = copy;
  return database === undefined ? ["--server", `${endpoint.host}:${endpoint.port}`] : ["--database", literal(database)];
}

/** Returns the tables whose rows are lost, or may be; none if nothing was written. */
export function lostTables({ since }: Written): string[] {
  return since ? [...since.tables.map(({ table }) => table), ...since.unknown] : ["every table (it isn't known)"];
}

/** Returns a sentence about what is lost. */
export function lossText(written: Written): string {
  if (!written.since) return "It isn't known what was written since the backup: there are no counters of then.";
  const { tables, unknown } = written.since;
  if (tables.length + unknown.length === 0) return "Nothing is lost.";
  const parts = [
    ...(tables.length > 0 ? [`${counted(tables.length, "table")} with rows written since ${written.at}`] : []),
    ...(unknown.length > 0 ? [`${counted(unknown.length, "table")} of which it isn't known`] : []),
  ];
  return `Lost by it: ${parts.join(", and ")}.`;
}
