import type { Session } from "./db/connection";
import type { Watcher } from "./db/watcher";
import type { Log } from "./log";
import type { Measurer } from "./measure/measurer";
import type { Plans } from "./plans";
import type { HistoryTable } from "./records/history-table";
import type { Records } from "./records/records";
import type { Settings } from "./settings";

/** The objects that every step of a run works with. */
export interface Run {
  readonly session: Session;
  readonly table: HistoryTable;
  readonly settings: Settings;
  readonly log: Log;
  /** Watches the session from a second one, and logs what it waits for. */
  readonly watcher: Watcher;
  readonly records: Records;
  /** The plans of the migrations, each made once. */
  readonly plans: Plans;
  /** The signal that is aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  /** Sees what each statement does; undefined: nothing is measured. */
  readonly measure?: Measurer;
}
