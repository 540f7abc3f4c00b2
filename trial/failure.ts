import type { Migration } from "../migrations/history/history";
import type { Finding } from "../review/finding";
import { trialFinding } from "./finding";
import type { FailedEvent, MigratorRun } from "./run-migrator";

/** The messages of a server that lacks something of the machine that the migrations are written for. */
const lacking = [
  /extension "[^"]+" is not available/,
  /could not open extension control file/,
  /could not (?:access|load) (?:file|library)/,
  /shared_preload_libraries/,
];

/** Returns what the embedded Postgres lacks to run the migrations, in the server's words; undefined if nothing. */
export function lackingHere(failed: FailedEvent): string | undefined {
  const text = serverMessage(failed);
  return lacking.some((each) => each.test(text)) ? text : undefined;
}

/** Returns the role that a migration names and the server doesn't have. */
export function missingRole(failed: FailedEvent): string | undefined {
  return /role "([^"]+)" does not exist/.exec(serverMessage(failed))?.[1];
}

/** Returns the server's message without values of rows, or what else the migrator says in one line. */
export function serverMessage({ what, detail }: FailedEvent): string {
  const line = detail?.split("\n").find((each) => each.trim() !== "");
  return (line ?? what).trim();
}

/** Returns how many rows it failed on, if they were counted, and the server's message. */
function told(failed: FailedEvent): string {
  const lines = failed.detail?.split("\n") ?? [];
  const end = lines.findIndex((line) => /^\s+at /.test(line));
  return end > 0 ? lines.slice(0, end).join(" ") : serverMessage(failed);
}

/** Makes the finding about a migration that failed. */
export function failedFinding(
  run: MigratorRun & { failed: FailedEvent },
  pending: readonly Migration[],
  on: string,
): Finding {
  const { failed, events } = run;
  const [, named, line] = /at (\S+)\/migration\.sql:(\d+)/.exec(failed.detail ?? "") ?? [];
  const last = events.findLast(({ event }) => event === "migration.started");
  const name = named ?? last?.["migration"];
  const migration = pending.find((each) => each.name === name) ?? pending[0]!;
  const message = told(failed);
  return trialFinding("fails-when-run", migration, {
    what: `Failed when it was run on ${on}: ${/[.)]$/.test(message) ? message : `${message}.`}`,
    who: "The release, which ends there; the old version keeps serving.",
    howLong: "Until the migration is corrected",
    ...(line !== undefined && { line: Number(line) }),
  });
}
