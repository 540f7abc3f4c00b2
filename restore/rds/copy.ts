import type { DBCluster, DBInstance, Tag } from "@aws-sdk/client-rds";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { CopyPurpose, RehearsalCopy } from "../target";
import { time } from "./command-line";
import type { RestorePoint } from "./restore-point";
import type { Source } from "./source";

/** The tags of a copy. By them a restore finds again what an earlier run has begun, and `remove` what it may delete. */
export const TAGS = {
  /** The identifier of the database that it is a copy of. */
  source: "postgres-release:restore",
  /** The snapshot or the moment that it was restored to. */
  from: "postgres-release:restore-from",
  /** The stack for which it was restored. */
  stack: "postgres-release:restore-stack",
  /** Of a copy for a rehearsal alone: the time from which on anybody may remove it. */
  rehearsal: "postgres-release:rehearsal",
} as const;

/** What a copy is to be. */
export interface CopyArgs {
  readonly identifier: string;
  readonly point: RestorePoint;
  /** The stack for which it is restored. */
  readonly stack: string;
  /** Default: it is one for people. */
  readonly rehearsal?: RehearsalCopy | undefined;
}

/** The longest identifier that RDS takes. */
const LONGEST = 63;

/** The room that the names of a cluster's instances need behind its own name, such as `-12`. */
const MEMBER_ROOM = 3;

/**
 * Returns the name of a new copy: the source's own, and the minute in which the restore begins. The second one of a
 * minute ends with `b`, and so on: a number would be that of a cluster's instance.
 * @param taken the names that databases have already
 */
export function copyName(source: string, now: Date, taken: ReadonlySet<string>): string {
  const minute = now.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 13);
  for (let number = 0; ; number++) {
    const suffix = `-restored-${minute}${number === 0 ? "" : String.fromCharCode("a".charCodeAt(0) + number)}`;
    const room = LONGEST - MEMBER_ROOM - suffix.length;
    const name = `${source.slice(0, room).replace(/-+$/, "")}${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** Returns the name of the copy that a check or a rehearsal makes. */
export function fixedCopyName(source: string, purpose: CopyPurpose): string {
  const suffix = `-restored-${purpose}`;
  return `${source.slice(0, LONGEST - MEMBER_ROOM - suffix.length).replace(/-+$/, "")}${suffix}`;
}

/** Returns the failure of a name that another database has. */
export function nameTaken(name: string): CommandFailure {
  return new CommandFailure(
    EXIT.usage,
    `There is another database ${name}, which is not the copy that this restore makes.`,
    undefined,
    "the same command with another --name, or without it",
  );
}

/** Returns the name of one of a cluster's instances, by its place in the list of the source's instances. */
export function memberName(cluster: string, index: number): string {
  return `${cluster}-${index + 1}`;
}

/** Returns what a copy's tag says of the point that it was restored to. */
function fromTag(point: RestorePoint): string {
  return point.kind === "time" ? time(point.at) : point.identifier;
}

/**
 * Returns the tags of a copy: those of its model, and ours. AWS' own tags can't be given to anything.
 * @param model the source, or one of its instances
 */
export function copyTags(
  source: Source,
  model: DBInstance | DBCluster,
  { point, stack, rehearsal }: Omit<CopyArgs, "identifier">,
): Tag[] {
  const own = (model.TagList ?? []).filter(({ Key = "" }) => !Key.startsWith("aws:") && !isOurs(Key));
  return [
    ...own,
    { Key: TAGS.source, Value: source.identifier },
    { Key: TAGS.from, Value: fromTag(point) },
    { Key: TAGS.stack, Value: stack },
    ...(rehearsal ? [{ Key: TAGS.rehearsal, Value: time(rehearsal.expires) }] : []),
  ];
}

/** Whether a tag is one of a copy's own. */
export function isOurs(key: string): boolean {
  return Object.values(TAGS).some((each) => each === key);
}

/** Returns the value of a tag. */
export function tagOf({ TagList }: DBInstance | DBCluster, key: string): string | undefined {
  return TagList?.find((tag) => tag.Key === key)?.Value;
}

/** Whether a database is the copy that a restore of this source to this point makes. */
export function isCopyOf(database: DBInstance | DBCluster, source: string, point: RestorePoint): boolean {
  return tagOf(database, TAGS.source) === source && tagOf(database, TAGS.from) === fromTag(point);
}

/**
 * Whether the copy is there.
 * @param found the database of its name; undefined if there is none
 * @throws CommandFailure if that is another one
 */
export function isThere(
  found: DBInstance | DBCluster | undefined,
  name: string,
  { source, point }: { readonly source: string; readonly point: RestorePoint },
): boolean {
  if (found && !isCopyOf(found, source, point)) throw nameTaken(name);
  return found !== undefined;
}
