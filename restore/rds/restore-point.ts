import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { RdsAccess } from "../../by-hand/rds/access";
import type { ReleaseFacts } from "../../by-hand/release-facts";
import { time } from "./command-line";
import { BEFORE_MIGRATION, beganAt, LATEST, latestOf, reachable, readTime } from "./moment";
import { namedSnapshot, newestSnapshot, type Snapshot, type StackTags } from "./snapshots";
import { described, type Source } from "./source";

/** What a database is restored to: a snapshot, or a moment between its automated backups. */
export type RestorePoint =
  | { readonly kind: "snapshot"; readonly identifier: string; readonly snapshot: Snapshot }
  | { readonly kind: "time"; readonly at: Date };

/** A restore point, and what a person should know about how it was chosen. */
interface Chosen {
  readonly point: RestorePoint;
  readonly notes: readonly string[];
}

/**
 * Finds out what `--to` names.
 * @param stack the names by which the snapshots of the stack are tagged
 * @throws CommandFailure if it is nothing that can be restored
 */
export async function chooseRestorePoint(
  access: RdsAccess,
  source: Source,
  to: string | undefined,
  facts: ReleaseFacts,
  stack: StackTags,
): Promise<Chosen> {
  if (to === undefined) return liveSnapshot(access, source, facts, stack);
  if (to === LATEST) {
    const at = latestOf(source);
    if (at) return { point: { kind: "time", at }, notes: [] };
    const { point, notes } = await liveSnapshot(access, source, facts, stack);
    const why = `RDS keeps no automated backups of ${described(source)}, so this is what the live release took.`;
    return { point, notes: [why, ...notes] };
  }
  const at = to === BEFORE_MIGRATION ? beganAt(facts) : readTime(to);
  if (at) return { point: { kind: "time", at: reachable(source, at) }, notes: [] };
  const identifier = to.startsWith("arn:") ? to : to.toLowerCase();
  return { point: { kind: "snapshot", ...(await namedSnapshot(access, source, identifier)) }, notes: [] };
}

async function liveSnapshot(
  access: RdsAccess,
  source: Source,
  { outputs, unknown }: ReleaseFacts,
  stack: StackTags,
): Promise<Chosen> {
  if (outputs?.snapshot) {
    const found = await namedSnapshot(access, source, outputs.snapshot.id);
    return { point: { kind: "snapshot", ...found }, notes: [] };
  }
  if (outputs)
    throw new CommandFailure(
      EXIT.usage,
      "The live release took no snapshot.",
      undefined,
      `the same command with --to SNAPSHOT, --to TIME or --to ${BEFORE_MIGRATION}`,
    );
  const newest = await newestSnapshot(access, source, stack);
  if (newest)
    return {
      point: { kind: "snapshot", ...newest },
      notes: [
        `Which snapshot the live release took is not known (${unknown}). This is the newest one of stack ${stack.name}; a release that failed may have taken it.`,
      ],
    };
  throw new CommandFailure(
    EXIT.usage,
    `Which snapshot the live release took is not known (${unknown}), and RDS has none of ${described(source)} with the tags of stack ${stack.name}.`,
    undefined,
    "the same command with --to SNAPSHOT or --to TIME",
  );
}

/** Returns how messages name a restore point. */
export function describedPoint(point: RestorePoint): string {
  if (point.kind === "time") return `the moment ${time(point.at)}`;
  const taken = point.snapshot.SnapshotCreateTime;
  return `snapshot ${point.identifier}${taken ? ` of ${time(taken)}` : ""}`;
}
