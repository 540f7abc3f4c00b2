import { findLeftovers, removeLeftovers } from "../../rehearsal/leftovers";
import { RehearsalRecords } from "../../rehearsal/record";
import { copyName } from "../../rehearsal/stack";
import { rehearsalTarget } from "../../rehearsal/target";
import { rehearsalSource } from "../../settings/rehearsal-rules";
import type { PrunedPlace, PruneRun } from "./pruner";

/** The longest wait for the removal of a copy, in milliseconds. */
const REMOVAL_MS = 1_800_000;

/**
 * Removes what rehearsals of the stack have left because they were killed, and copies whose time is over. Without a
 * record of one, and without `rehearsal.mode: copy`, nobody has rehearsed, and nothing is asked for.
 */
export async function pruneRehearsals(run: PruneRun): Promise<PrunedPlace[]> {
  const { stack, kubectl, plan, stop, say } = run;
  const { app, rehearsal } = stack.settings;
  const from = rehearsalSource(stack.settings, false);
  const records = new RehearsalRecords(kubectl, app.name);
  const mayBe = rehearsal.mode === "copy" || (await records.read()) !== undefined;
  if (from === undefined || (from === "dump" && !rehearsal.into) || !mayBe) return [];
  const target = rehearsalTarget(from, { stack, timeout: REMOVAL_MS, stop, say });
  const { record, copy, because } = await findLeftovers(records, target, run.retention.now, say);
  if (!record && !copy) return [];
  const begunAt = copy?.createdAt ?? new Date(record?.renewedAt ?? run.retention.now);
  const left = { id: copy?.name ?? copyName(target), begunAt, state: "complete" as const };
  const place = { title: "Copies of rehearsals", what: "copy", stay: [], gone: [], notRemoved: [], warnings: [] };
  if (because !== undefined) return [{ ...place, stay: [{ backup: left, because }] }];
  if (plan) return [{ ...place, gone: [left] }];
  try {
    await removeLeftovers({ kubectl, app: app.name, target }, say);
    await records.end();
    return [{ ...place, gone: [left] }];
  } catch (error) {
    return [{ ...place, notRemoved: [{ id: left.id, reason: (error as Error).message }] }];
  }
}
