import { maskSql } from "../../migrations/sql/mask-sql";
import { formatDuration } from "../../text/short-duration";
import type { Log } from "../log";
import { Session } from "./connection";
import type { Target } from "./url";

/** A session that another one waits for. */
interface Blocker {
  pid: number;
  application: string;
  user: string;
  state: string;
  seconds: number;
  query: string;
}

/** The time between two looks, and between two lines of the log about a statement, in milliseconds. */
const HEARTBEAT = 10_000;

/**
 * Watches the working session from a second one while a statement takes long: which sessions it waits for, and how far
 * an index build is. Without a free connection the log has no such lines; nothing else depends on them.
 */
export class Watcher {
  /** The sessions that the last watched statement waited for; empty if there were none. */
  blockers: string[] = [];
  #session: Promise<Session | undefined> | undefined;

  constructor(
    readonly target: Target,
    readonly pid: number,
    readonly log: Log,
  ) {}

  /**
   * Watches until the work is done.
   * @param firstLook the milliseconds until the first look; it must be taken before lock_timeout ends the wait
   */
  async during<T>(work: Promise<T>, what: string, firstLook: number): Promise<T> {
    const began = Date.now();
    this.blockers = [];
    let timer: NodeJS.Timeout | undefined;
    let lastReport = 0;
    const look = async () => {
      const seen = await this.#look();
      if (seen === undefined) return;
      if (seen.blockers.length > 0) this.blockers = seen.blockers;
      const elapsed = Date.now() - began;
      if (elapsed - lastReport >= HEARTBEAT - 500) {
        lastReport = elapsed;
        const waiting = seen.blockers.length > 0 ? `; waiting for ${seen.blockers.join("; ")}` : "";
        const progress = seen.progress ? `; ${seen.progress}` : "";
        this.log.event("heartbeat", `  … ${what}: ${formatDuration(elapsed)}${progress}${waiting}`, {
          elapsed,
          what,
          ...seen,
        });
      }
    };
    const schedule = (delay: number) => {
      timer = setTimeout(() => void look().then(() => timer && schedule(HEARTBEAT)), delay);
    };
    schedule(firstLook);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      timer = undefined;
    }
  }

  async close(): Promise<void> {
    await (await this.#session)?.close();
  }

  async #look(): Promise<{ blockers: string[]; progress: string | undefined } | undefined> {
    try {
      this.#session ??= Session.open(this.target, { applicationName: "release-watcher", connectWait: 0 }).catch(
        () => undefined,
      );
      const session = await this.#session;
      if (!session || session.lost !== undefined) return undefined;
      const blockers = await session.rows<Blocker>(
        `SELECT a.pid, a.application_name AS application, a.usename AS user, a.state,
           extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::float8 AS seconds, left(a.query, 200) AS query
         FROM unnest(pg_blocking_pids($1)) AS blocking(pid) JOIN pg_stat_activity a USING (pid) GROUP BY 1, 2, 3, 4, 5, 6 LIMIT 3`,
        [this.pid],
      );
      const [index] = await session.rows<{ phase: string; done: string; total: string }>(
        `SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END AS done,
           CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END AS total
         FROM pg_stat_progress_create_index WHERE pid = $1`,
        [this.pid],
      );
      const share =
        index && Number(index.total) > 0 ? ` ${Math.floor((100 * Number(index.done)) / Number(index.total))} %` : "";
      return { blockers: blockers.map(describeBlocker), progress: index ? `${index.phase}${share}` : undefined };
    } catch {
      return undefined;
    }
  }
}

/**
 * Describes the session that holds a lock: for how long its transaction has run, and its statement without constants.
 */
export function describeBlocker({ pid, application, user, state, seconds, query }: Blocker): string {
  // The literals of a statement may contain what people typed into an application.
  const shape = maskSql(query).slice(0, 80);
  const since = formatDuration(seconds * 1000);
  return `pid ${pid} (${application || user}), ${state ?? "active"}, in its transaction for ${since}: ${shape}`;
}
