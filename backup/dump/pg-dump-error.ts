import { LoginRefused, Unreachable } from "../../migrator/failures/connection";
import type { Failure } from "../../migrator/failures/failure";
import {
  DumpConnectionLost,
  DumpFailed,
  DumpLockTimeout,
  DumpRightsMissing,
  NoConnectionLeft,
  ScratchFull,
} from "../failures/dump";

/** The lines of `pg_dump`'s messages that are shown. The first ones say what went wrong. */
const SHOWN_LINES = 8;

/** What is known of the run whose messages are read. */
interface Context {
  readonly where: string;
  readonly lockTimeout: string;
  readonly status: number;
}

type Make = (detail: readonly string[], context: Context) => Failure;

/** The failures by what `pg_dump` prints. Its messages are in English, because its pod sets no locale. */
const FAILURES: readonly [pattern: RegExp, make: Make][] = [
  [
    // pg_dump sets a time-out of statements for its LOCK TABLE.
    /canceling statement due to (lock|statement) timeout|could not obtain lock/i,
    (detail, { lockTimeout }) => new DumpLockTimeout(detail, lockTimeout),
  ],
  [
    /too many connections|remaining connection slots|too many clients|sorry, too many/i,
    (detail) => new NoConnectionLeft(detail),
  ],
  [
    /authentication failed|no pg_hba\.conf entry|role ".*" does not exist|database ".*" does not exist/i,
    (detail, { where }) => new LoginRefused(where, "pg_dump's login was not accepted.", { detail }),
  ],
  [/permission denied|row-level security|must be owner|must be superuser/i, (detail) => new DumpRightsMissing(detail)],
  [
    /server closed the connection|terminating connection|connection .*(reset|timed out)|lost synchronization|no connection to the server|SSL SYSCALL|could not receive data|the database system is/i,
    (detail) => new DumpConnectionLost(detail),
  ],
  [/No space left on device/i, (detail) => new ScratchFull(detail)],
  [
    /connection refused|could not translate host name|connection to server .* failed/i,
    (detail, { where }) => new Unreachable(where, detail.join(" ")),
  ],
];

/** Returns the failure that `pg_dump`'s messages mean. */
export function dumpFailure(messages: string, context: Context): Failure {
  const detail = messages
    .split("\n")
    .map((line) => line.replace(/^pg_dump: (error: )?/, "").trim())
    .filter((line) => line !== "")
    .slice(0, SHOWN_LINES);
  const [, make] = FAILURES.find(([pattern]) => pattern.test(messages)) ?? [];
  return make?.(detail, context) ?? new DumpFailed(context.status, detail);
}
