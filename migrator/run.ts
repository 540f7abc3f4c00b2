import type { Session } from "./connection";
import type { HistoryTable } from "./history-table";
import type { Log } from "./log";
import type { Records } from "./records";
import type { Settings } from "./settings";
import type { Watcher } from "./watcher";

/** What every step of a deploy works with. */
export interface Run {
  readonly session: Session;
  readonly table: HistoryTable;
  readonly settings: Settings;
  readonly log: Log;
  /** Looks at the session from outside while it waits. */
  readonly watcher: Watcher;
  readonly records: Records;
  /** Aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}
