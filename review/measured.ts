import type { Work } from "../migrations/schema/effect";
import type { Schema } from "../migrations/schema/schema";
import { type Blocked, blockedBy, type LockMode, stronger } from "../migrations/sql/locks";
import type { MeasuredMigration, MeasuredStatement, MeasuredTable, Measurement } from "../report/measurement";
import { formatDuration } from "../text/short-duration";
import type { Facts, JudgedStatement } from "./facts";
import type { Finding } from "./finding";
import { code, target } from "./names";
import { type TrialRule, trialRules } from "./rules/trial";

/** What the review says that a statement does to a table. */
interface ForeseenTable {
  readonly lock: LockMode;
  readonly work: Work;
  /**
   * Whether less work than this would be seen, and be a surprise: its text alone decides it, the table has no partitions,
   * and the statement runs in a transaction. What others read is not seen on every server.
   */
  readonly certain: boolean;
}

/** What the review says of one statement: the tables by their names. */
interface ForeseenStatement {
  readonly tables: Map<string, ForeseenTable>;
  /** Whether its text doesn't tell all that it does. */
  unknown: boolean;
}

/** What the review says of every statement, kept to be compared with what a run of the migrations did. */
export class Foreseen {
  readonly #statements = new Map<string, ForeseenStatement>();
  /** The tables that this release makes. Nobody uses them yet, so their locks matter to nobody. */
  readonly #made = new Set<string>();

  /** Keeps what a statement, or a part of one in a DO block or a WITH, does by the review. */
  add({ index, effect, canRunInTransaction }: JudgedStatement, facts: Facts): void {
    const key = `${facts.plan.name} ${index}`;
    const found = this.#statements.get(key) ?? { tables: new Map(), unknown: false };
    for (const { name, lock, work, uncertain } of effect.tables) {
      const table = target(name);
      const isNew = facts.isNew(name);
      if (isNew) this.#made.add(table);
      const before = found.tables.get(table);
      const known = isNew ? undefined : facts.table(name);
      const certain =
        canRunInTransaction &&
        uncertain !== true &&
        known !== undefined &&
        !known.partitioned &&
        facts.schema.children(table).length === 0;
      found.tables.set(table, {
        lock: before ? stronger(before.lock, lock) : lock,
        work: before && heavier(before.work, work) ? before.work : work,
        certain: certain && before?.certain !== false,
      });
    }
    found.unknown ||= effect.unknown !== undefined;
    if (found.tables.size > 0 || found.unknown) this.#statements.set(key, found);
  }

  /**
   * Compares what the migrations of a release did when they were run with what the review says of them.
   * @param schema the schema after them
   * @param checksums the checksums of the migrations of this release, by their names
   * @returns a finding for each table that was locked, rewritten or read without the review's saying so, and a note for
   *   each that was not rewritten or read although the review says so
   */
  compare(measurement: Measurement, schema: Schema, checksums: ReadonlyMap<string, string>): Finding[] {
    const made = new Set(this.#made);
    for (const [name, { madeIn }] of schema.tables) if (madeIn !== undefined && checksums.has(madeIn)) made.add(name);
    return measurement.migrations.flatMap((migration) => {
      const checksum = checksums.get(migration.name);
      if (checksum === undefined) return [];
      const found = new Map<string, Finding>();
      for (const statement of migration.statements) {
        const foreseen = this.#statements.get(`${migration.name} ${statement.index}`) ?? nothing;
        const differences = [
          ...statement.tables
            .filter(({ name }) => !made.has(name))
            .flatMap((table) => more(table, statement, foreseen)),
          ...less(statement, foreseen, measurement.growth),
        ];
        for (const difference of differences) {
          const finding = findingOf(difference, migration, statement, checksum);
          if (!found.has(finding.id)) found.set(finding.id, finding);
        }
      }
      return [...found.values()];
    });
  }
}

const nothing: ForeseenStatement = { tables: new Map(), unknown: false };

const works: readonly Work[] = ["none", "rows", "scan", "index", "rewrite"];

function heavier(a: Work, b: Work): boolean {
  return works.indexOf(a) > works.indexOf(b);
}

/** A difference between the review and a run, as the finding says it. */
interface Difference {
  readonly rule: TrialRule;
  readonly table: string;
  readonly what: string;
  /** Which queries wait; undefined: none. */
  readonly blocked?: Blocked;
}

/**
 * Matches statements that only define something. The planner chooses how the others read rows, and no one is surprised
 * that they do.
 */
const DEFINES = /^(ALTER|DROP|COMMENT|GRANT|REVOKE)\b/;

/** Returns what a statement did to a table beyond what the review says. */
function more(table: MeasuredTable, { kind }: MeasuredStatement, { tables, unknown }: ForeseenStatement): Difference[] {
  const { name, lock, rewritten, scanned } = table;
  const foreseen = tables.get(name);
  const expected = foreseen ? blockedBy(foreseen.lock) : "nothing";
  const blocked = lock ? blockedBy(lock) : "nothing";
  const why = unknown ? "Its text doesn't tell." : "The review did not foresee it.";
  const differences: Difference[] = [];
  if (lock && order.indexOf(blocked) > order.indexOf(expected))
    differences.push({
      rule: "lock-not-foreseen",
      table: name,
      what: `When it was run, it took the lock ${lock} on ${code(name)}. ${foreseen && expected !== "nothing" ? `The review expected ${foreseen.lock}.` : why}`,
      blocked,
    });
  if (rewritten && foreseen?.work !== "rewrite" && !REPLACES.test(kind))
    differences.push({
      rule: "rewrite-not-foreseen",
      table: name,
      what: `When it was run, it rewrote every row of ${code(name)}. ${why}`,
      blocked: "reads and writes",
    });
  // A check of a foreign key also reads the other table, and that is part of the work that the review tells.
  const working = [...tables.values()].some(({ work }) => work !== "none");
  const defines = DEFINES.test(kind) || (kind === "DO" && blocked !== "nothing");
  if (scanned && !rewritten && !working && defines)
    differences.push({
      rule: "scan-not-foreseen",
      table: name,
      what: `When it was run, it read every row of ${code(name)}. ${why}`,
      blocked,
    });
  return differences;
}

const order: readonly Blocked[] = ["nothing", "writes", "reads and writes"];

/** Matches statements that put other rows in the place of the old ones, which the review tells by itself. */
const REPLACES = /^(TRUNCATE|REFRESH)\b/;

/** Returns which work of the review's a statement did not do on tables that have rows. */
function less(
  { tables: seen }: MeasuredStatement,
  { tables, unknown }: ForeseenStatement,
  growth: Measurement["growth"],
): Difference[] {
  if (unknown) return [];
  return [...tables].flatMap(([table, { work, certain }]) => {
    const rows = growth[table]?.before?.rows ?? 0;
    if (!certain || rows === 0) return [];
    const found = seen.find(({ name }) => name === table);
    const read = found !== undefined && (found.scanned || found.rewritten);
    if (work === "rewrite" && !found?.rewritten) return [fewer(table, "rewrites")];
    if ((work === "scan" || work === "index") && !read) return [fewer(table, "reads")];
    return [];
  });
}

function fewer(table: string, verb: "rewrites" | "reads"): Difference {
  return {
    rule: "less-than-foreseen",
    table,
    what: `The review says that it ${verb} every row of ${code(table)}. When it was run, it did not.`,
  };
}

const queries: Record<Blocked, string> = {
  "reads and writes": "All queries on",
  writes: "INSERT, UPDATE, DELETE on",
  nothing: "",
};

function findingOf(
  { rule, table, what, blocked = "nothing" }: Difference,
  { name, blocked: blocks }: MeasuredMigration,
  { index, line, milliseconds }: MeasuredStatement,
  checksum: string,
): Finding {
  const held = blocks.find((block) => block.table === table)?.milliseconds;
  return {
    id: `${rule} ${table}`,
    rule,
    classes: trialRules[rule].classes,
    severity: rule === "less-than-foreseen" ? "info" : "warning",
    migration: name,
    checksum,
    statement: index,
    line,
    what,
    who: blocked === "nothing" ? "Nobody waits for it." : `${queries[blocked]} ${code(table)} block.`,
    howLong: `${formatDuration(held !== undefined && blocked !== "nothing" ? held : milliseconds)} in that run; longer with more rows`,
  };
}
