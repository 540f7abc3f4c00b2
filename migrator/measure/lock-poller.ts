import { setTimeout as pause } from "node:timers/promises";
import { type LockMode, stronger } from "../../migrations/sql/locks";
import { Session } from "../db/connection";
import type { Target } from "../db/url";
import { lockMode } from "./look";

/** The time between two looks at the locks of a statement that runs outside a transaction, in milliseconds. */
const INTERVAL = 20;

/**
 * Looks from a second session at the locks of a statement that ends its own transaction, so that nobody can look at them
 * after it. Without a free connection it sees none.
 */
export class LockPoller {
  #session: Session | undefined;

  constructor(
    readonly target: Target,
    readonly pid: number,
  ) {}

  /** Opens the second session, unless it is open. */
  async open(): Promise<void> {
    this.#session ??= await Session.open(this.target, { applicationName: "release-measurer", connectWait: 0 }).catch(
      () => undefined,
    );
  }

  /** Does the work, and returns its result and the strongest locks that were seen meanwhile, by the object's OID. */
  async during<T>(work: () => Promise<T>): Promise<{ result: T; locks: ReadonlyMap<number, LockMode> }> {
    const session = this.#session;
    const locks = new Map<number, LockMode>();
    let running = true;
    const poll = async () => {
      while (running && session && session.lost === undefined) {
        const rows = await session.rows<{ relation: number; mode: string }>(
          "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND granted AND relation IS NOT NULL",
          [this.pid],
        );
        for (const { relation, mode } of rows)
          locks.set(relation, stronger(lockMode(mode), locks.get(relation) ?? "ACCESS SHARE"));
        await pause(INTERVAL);
      }
    };
    const polling = poll().catch(() => undefined);
    try {
      return { result: await work(), locks };
    } finally {
      running = false;
      await polling;
    }
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }
}
