import type { Migration } from "../../migrations/history/history";
import { tellViolations } from "../measure/violations";
import type { Progress } from "../records/progress";
import type { Run } from "../run";
import { oneTransaction } from "./one-transaction";
import { EffectPlanner, type PlannedEffects } from "./planned-effects";
import { severalInMessage } from "./several-in-message";
import { statementByStatement } from "./statement-by-statement";
import type { QueuedMigration, Strategy } from "./strategy";

/** The strategies in the order in which they are tried. The last one accepts every migration. */
const STRATEGIES: readonly Strategy[] = [severalInMessage, oneTransaction, statementByStatement];

/** The number of migrations that are planned ahead while the server works. */
const AHEAD = 25;

/**
 * Applies pending migrations in their order, each by the first strategy that accepts it, and plans ahead while the
 * server works.
 * @param pending the migrations, each with the progress that an earlier run made on it
 * @param creation statements that create the history table if there is none
 * @param beforeTouching is called with quoted table names before any of these migrations touches those tables
 */
export async function applyQueue(
  run: Run,
  pending: readonly { migration: Migration; resume: Progress | undefined }[],
  creation: readonly string[],
  beforeTouching: (tables: readonly string[]) => Promise<void>,
): Promise<PlannedEffects> {
  const planner = new EffectPlanner(run.plans, run.table.schema);
  const queue: QueuedMigration[] = [];
  let touched: string[] = [];
  const planUntil = (index: number): QueuedMigration | undefined => {
    for (const { migration, resume } of pending.slice(queue.length, index + 1)) {
      const planned = planner.add(migration);
      queue.push({ ...planned, resume });
      touched.push(...planned.touched);
    }
    return queue[index];
  };
  let writeLog: (() => void) | undefined;
  const writeHeldLog = () => {
    writeLog?.();
    writeLog = undefined;
  };
  let first = creation;
  let started = -1;
  // The strategies that gave the front of the queue back.
  let refused: Strategy[] = [];
  try {
    for (let at = 0; at < pending.length; ) {
      const front = (index: number) => planUntil(at + index);
      const { strategy, count } = choose(run, front, refused);
      const taken = queue.slice(at, at + count);
      if (touched.length > 0) await beforeTouching(touched);
      touched = [];
      const [{ migration }] = taken as [QueuedMigration];
      if (taken.length === 1 && started !== at) {
        writeHeldLog();
        run.signal.throwIfAborted();
        run.log.event("migration.started", migration.name, { migration: migration.name, checksum: migration.checksum });
        started = at;
      }
      await run.measure?.begin();
      const applied = strategy.apply(run, taken, first, () => {
        writeHeldLog();
        planUntil(at + taken.length + AHEAD - 1);
      });
      const outcome = await applied.catch((error) => tellViolations(run, migration, error));
      if (outcome.applied > 0) run.measure?.end(migration.name);
      writeLog = outcome.writeLog;
      if (outcome.applied > 0) [first, refused] = [[], []];
      if (outcome.applied < taken.length) refused = [...refused, strategy];
      at += outcome.applied;
    }
  } finally {
    writeHeldLog();
  }
  return planner.planned();
}

/**
 * Returns the first strategy that accepts the front of the queue, and how many migrations it takes.
 * @param refused the strategies that gave the front of the queue back
 */
function choose(run: Run, front: Parameters<Strategy["take"]>[0], refused: readonly Strategy[]) {
  for (const strategy of STRATEGIES) {
    // The statements of one message can't be looked at one by one.
    const unseen = run.measure !== undefined && strategy === severalInMessage;
    const count = unseen || refused.includes(strategy) ? 0 : strategy.take(front);
    if (count > 0) return { strategy, count };
  }
  throw new Error("No strategy accepts the migration, though the last one accepts every one.");
}
