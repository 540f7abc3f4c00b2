import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import type { Session } from "../db/connection";
import { runScript } from "../db/query";
import type { Run } from "../run";
import { type Frame, locate } from "./error-location";
import { describeGroup, type Group } from "./groups";
import type { LockWaitBudget } from "./lock-wait-budget";

/**
 * Runs the statements of one transaction, whose waits for locks are bounded together.
 * @param before statements that are sent before the first of them, in the same message
 * @returns the number of rows that the statements touched
 */
export async function runGroups(
  run: Run,
  migration: Migration,
  groups: readonly Group[],
  budget: LockWaitBudget,
  before: readonly string[],
): Promise<number> {
  // The migration sets its own lock_timeout, so ours is not set.
  const own = groups.some(({ statements }) => statements.some(setsLockTimeout));
  let rows = 0;
  let lead = before;
  let current: number | undefined;
  if (run.measure && groups.length > 0 && before.length > 0) {
    await runOwn(run.session, before, []);
    lead = [];
  }
  for (const group of groups) {
    const lockTimeout = budget.timeoutFor(group.statements);
    if (current !== undefined && current !== lockTimeout && !own) lead = [`SET LOCAL lock_timeout = ${lockTimeout}`];
    current = lockTimeout;
    const began = Date.now();
    const frame = { before: lead, after: [] };
    const send = () => runGroup(run, migration, group, lockTimeout, frame);
    rows += run.measure ? await run.measure.inTransaction(group.statements, send) : await send();
    budget.spend(group.statements, Date.now() - began);
    lead = [];
  }
  return rows;
}

function setsLockTimeout({ kind, text }: PlannedStatement): boolean {
  return /\block_timeout\b/i.test(text) && (/^SET\b/.test(kind) || /\bset_config\b/i.test(text));
}

/**
 * Runs statements in one message, and writes a line about them to the log.
 * @returns the number of rows that the statements touched
 */
export async function runGroup(
  run: Run,
  migration: Migration,
  group: Group,
  lockTimeout: number,
  frame: Frame = { before: [], after: [] },
): Promise<number> {
  run.signal.throwIfAborted();
  const { log, watcher, session } = run;
  const what = describeGroup(group);
  const began = Date.now();
  const { before, after } = frame;
  const head = before.map((text) => `${text};\n`).join("");
  const text = `${head}${group.text}${after.map((each) => `;\n${each}`).join("")}`;
  try {
    const results = await watcher.during(runScript(session, text), what, firstLook(lockTimeout));
    const own = results.slice(before.length, results.length - after.length);
    const rows = own.reduce((sum, { rowCount, command }) => sum + (command === "SELECT" ? 0 : (rowCount ?? 0)), 0);
    const duration = Date.now() - began;
    const touched = rows > 0 ? `, ${counted(rows, "row")}` : "";
    log.event("statement.finished", `  ${what} (${formatDuration(duration)}${touched})`, {
      migration: migration.name,
      line: group.statements[0]?.line,
      kind: group.statements[0]?.kind,
      count: group.statements.length,
      duration,
      rows,
    });
    return rows;
  } catch (error) {
    locate(error, group, frame);
    throw error;
  }
}

/**
 * Returns the delay, in milliseconds, before the first look at who holds a lock: 60 % of lock_timeout, so that the wait
 * still lasts, but at least 20 ms.
 */
export function firstLook(lockTimeout: number): number {
  return Math.max(20, lockTimeout * 0.6);
}

/** Runs the migrator's own statements around those of a migration, in a message of their own. */
export async function runOwn(session: Session, before: readonly string[], after: readonly string[]): Promise<void> {
  try {
    await runScript(session, [...before, ...after].join(";\n"));
  } catch (error) {
    locate(error, { statements: [], text: "", offset: 0 }, { before, after });
    throw error;
  }
}
