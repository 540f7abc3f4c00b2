import type { Session } from "./db/connection";
import type { Watcher } from "./db/watcher";
import type { Log } from "./log";
import type { Plans } from "./plans";
import type { HistoryTable } from "./records/history-table";
import type { Records } from "./records/records";
import type { Settings } from "./settings";

/** What every step of a deploy works with. */
export interface Run {
  readonly session: Session;
  readonly table: HistoryTable;
  readonly settings: Settings;
  readonly log: Log;
  /** Looks at the session from outside while it waits. */
  readonly watcher: Watcher;
  readonly records: Records;
  /** What the migrations are made of, each parsed once. */
  readonly plans: Plans;
  /** Aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}
