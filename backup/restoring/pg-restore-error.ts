import type { Failure } from "../../migrator/failures/failure";
import {
  ExtensionRefused,
  RestoreConnectionLost,
  RestoreConnectionsUsed,
  RestoreFailed,
  ServerFull,
} from "../failures/restoring";
import type { RestoreEnd } from "./state";

/** The number of errors that are shown. */
const SHOWN = 6;

/** An error of `pg_restore`, without the values of rows that Postgres adds in further lines. */
export interface RestoreError {
  /** What of the archive it is about, such as `EXTENSION pg_cron`; undefined if it is about none. */
  readonly entry: string | undefined;
  /** The kind of that entry, if it is one of {@link LEFT_OUT}. */
  readonly kind: string | undefined;
  readonly message: string;
}

/**
 * The kinds of entries that hold no data, and without which the copy can be used: grants, comments, and what only a
 * superuser may make. What of them is missing is told, and doesn't end the restore.
 */
const LEFT_OUT = [
  "ACL",
  "DEFAULT ACL",
  "COMMENT",
  "SECURITY LABEL",
  "EVENT TRIGGER",
  "PUBLICATION",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
  "SUBSCRIPTION",
  "EXTENSION",
  "PROCEDURAL LANGUAGE",
];

/**
 * Reads what `pg_restore` has printed. A line about the entry stands before its errors:
 * `pg_restore: from TOC entry 3; 3079 16385 EXTENSION pg_cron app`, with kind, name and owner.
 */
export function readRestoreErrors(text: string): RestoreError[] {
  const errors: RestoreError[] = [];
  let entry: string | undefined;
  let kind: string | undefined;
  for (const line of text.split("\n")) {
    const [, about] = /^pg_restore: from TOC entry \d+; \d+ \d+ (.*)$/.exec(line) ?? [];
    if (about !== undefined) {
      entry = about.trim();
      kind = LEFT_OUT.find((each) => about.startsWith(`${each} `));
    }
    const [, message] = /^pg_restore: error: (.*)$/.exec(line) ?? [];
    if (message === undefined) continue;
    errors.push({ entry, kind, message: message.replace(/^could not execute query: /, "").trim() });
  }
  return errors;
}

/** Whether the copy can be used without what the error is about. */
export function isLeftOut({ kind, message }: RestoreError): boolean {
  return kind !== undefined && !LOST.test(message) && !FULL.test(message);
}

/** What an error's entry is called in messages. */
export function leftOutText({ entry, message }: RestoreError): string {
  return `${entry}: ${message.replace(/^ERROR:\s*/, "")}`;
}

const FULL = /No space left on device|could not (extend|write)|disk full|exceeds? .*quota/i;
const LOST =
  /server closed the connection|terminating connection|connection .*(reset|timed out|not open)|lost synchronization|no connection to the server|SSL SYSCALL|could not (receive|send) data|the database system is/i;
const NO_CONNECTION = /too many connections|remaining connection slots|too many clients/i;

/** Returns the failure that errors of `pg_restore` mean. */
export function restoreFailure(errors: readonly RestoreError[], end: RestoreEnd): Failure {
  const serious = errors.filter((error) => !isLeftOut(error));
  const detail = serious
    .slice(0, SHOWN)
    .map(({ entry, message }) => (entry === undefined ? message : `${entry}: ${message}`));
  const says = (pattern: RegExp) => serious.some(({ message }) => pattern.test(message));
  if (says(FULL)) return new ServerFull(detail, end);
  if (says(NO_CONNECTION)) return new RestoreConnectionsUsed(detail, end);
  if (says(LOST)) return new RestoreConnectionLost(detail, end);
  const extensions = errors.flatMap(({ kind, entry = "" }) =>
    kind === "EXTENSION" ? (/^EXTENSION (\S+)/.exec(entry)?.[1] ?? []) : [],
  );
  if (extensions.length > 0) return new ExtensionRefused([...new Set(extensions)], detail, end);
  return new RestoreFailed(detail, end);
}
