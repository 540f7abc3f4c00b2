import type { Node } from "libpg-query";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import type { Effect } from "../../migrations/schema/effect";
import type { Table } from "../../migrations/schema/objects";
import { madeKey, type Schema } from "../../migrations/schema/schema";
import { temporarySchema } from "../../migrations/schema/temporary";
import { identifier, keyOf, type Name } from "../../migrations/sql/identifier";
import type { FindingClass } from "../../settings/finding-classes";
import { type Sizes, sizeText, type TableSize } from "../../text/table-size";
import type { Finding, SafeWay, Severity } from "../finding";
import { type Band, sizeOf } from "../size";
import type { EnumExchange } from "./prisma";

/** A statement of the migration that is judged, with what the review knows of it. */
export interface JudgedStatement extends PlannedStatement {
  readonly node: Node;
  readonly effect: Effect;
  /** It is a part of the statement at its place, in a DO block or a WITH: what it says alone is no statement of its own. */
  readonly inside?: boolean;
}

/** Who runs the migrations: this project's migrator, or the user's own command (the Prisma CLI). */
export type Runner = "migrator" | "command";

/** A finding as a rule reports it, before it has an id and the place of its migration. */
export interface Draft {
  readonly rule: string;
  readonly classes: readonly FindingClass[];
  readonly severity: Severity;
  /** What it is about: `User.email`. */
  readonly target: string;
  /** Where it isn't about a statement; default: that of the statement, else the first. */
  readonly line?: number | undefined;
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  readonly irreversible?: string | undefined;
  readonly safe?: SafeWay | undefined;
}

/** Variables and conditions around it decide what it does: no SQL in its place can be proposed. */
const notAlone: SafeWay = {
  migrations: [],
  note: "Write it as a statement of its own: inside of a DO block or WITH, the review proposes no SQL for it.",
};

/** One migration under review: what the judges ask, and where they report. */
export class Context {
  readonly findings: Finding[] = [];
  /** Enums that this migration exchanges, by the key of the one that takes the place. */
  exchanges: ReadonlyMap<string, EnumExchange> = new Map();
  /** Views and functions that this migration makes; dropped before, they are only replaced. */
  readonly remade = new Set<string>();
  /** Views that this migration makes of one table whole, under which pods of the old version find it. */
  readonly standIns: { readonly view: string; readonly table: string }[] = [];
  /** Columns that this migration drops: `User.email`. */
  readonly droppedColumns = new Set<string>();
  /** Foreign keys that this migration drops, as `table(columns) other`: added again, they are not new. */
  readonly droppedKeys = new Set<string>();
  /** Unique indexes that this migration makes: dropped under another name, they are only replaced. */
  readonly uniques = new Set<string>();
  /** Policies, triggers and rules that it makes, or turns on again: see judge/guards.ts. */
  readonly guardsMade = new Set<string>();
  /** Keys of the sequences that it sets to follow the rows that are there. */
  readonly sequencesFollowing = new Set<string>();
  /** Keys of the tables that it has emptied so far. */
  readonly emptied = new Set<string>();
  /** Unique indexes that it drops: made again, they find no duplicates. */
  readonly droppedUniques = new Set<string>();
  private readonly ids = new Map<string, number>();

  constructor(
    readonly plan: MigrationPlan,
    /** As it is before the statement that is being judged. */
    readonly schema: Schema,
    readonly sizes: Sizes | undefined,
    readonly runner: Runner,
    /** Names of the migrations of this release. */
    private readonly release: ReadonlySet<string>,
    /** Columns that this release added to tables that were there: `User.email`. */
    readonly newColumns: ReadonlySet<string>,
  ) {}

  /** Made in this release, or temporary, so it has no rows and no old version's pod knows it. */
  isNew(name: Name): boolean {
    if (name.schema?.startsWith(temporarySchema)) return true;
    const madeIn = this.schema.table(name)?.madeIn;
    return madeIn !== undefined && this.release.has(madeIn);
  }

  /** A function, procedure, sequence or type of this release. */
  isNewObject(name: Name): boolean {
    return this.release.has(this.schema.made.get(keyOf(name)) ?? "");
  }

  /** A schema or role of this release. */
  isMade(kind: string, name: string): boolean {
    return this.release.has(this.schema.made.get(madeKey(kind, name)) ?? "");
  }

  /** The sequence of a serial or identity column that is as new as the release. */
  isNewSequence(name: Name): boolean {
    const owner = this.schema.sequenceOwner(name);
    return owner !== undefined && (this.isNew(owner.table) || this.newColumns.has(target(owner.table, owner.column)));
  }

  table(name: Name): Table | undefined {
    return this.schema.table(name);
  }

  size(name: Name): TableSize | undefined {
    return sizeOf(name, this.sizes);
  }

  /** `minutes (12 GB, 40 million rows)`. */
  duration(band: Band, name: Name): string {
    return band === "unknown"
      ? "grows with the table, whose size isn't known"
      : `${band} (${sizeText(this.size(name))})`;
  }

  report(draft: Draft, statement?: PlannedStatement & Pick<JudgedStatement, "inside">): void {
    const { target, line, safe, ...rest } = draft;
    const way = statement?.inside && safe && safe.migrations.length > 0 ? notAlone : safe;
    // The same thing twice in a migration gets a number, so that an acknowledgement names one of them.
    const plain = target === "" ? draft.rule : `${draft.rule} ${target}`;
    const count = (this.ids.get(plain) ?? 0) + 1;
    this.ids.set(plain, count);
    this.findings.push({
      ...rest,
      ...(way && { safe: way }),
      id: count === 1 ? plain : `${plain} #${count}`,
      migration: this.plan.name,
      checksum: this.plan.checksum,
      ...(statement && { statement: statement.index }),
      line: line ?? statement?.line ?? 1,
    });
  }
}

/** A table as an acknowledgement names it. */
export function target(name: Name, column?: string): string {
  return column === undefined ? keyOf(name) : `${keyOf(name)}.${column}`;
}

/** Names a column for people: `email of User`. */
export function columnText(name: Name, column: string): string {
  return `${identifier(column)} of ${tableText(name)}`;
}

/** Names a table as SQL has it, quoted where that is necessary. */
export function tableText(name: Name): string {
  return keyOf(name)
    .split(".")
    .map((part) => identifier(part))
    .join(".");
}

/** A severity by how long others wait. */
export function severityOf(band: Band): Severity {
  return band === "a moment" ? "info" : band === "seconds" || band === "unknown" ? "warning" : "error";
}
