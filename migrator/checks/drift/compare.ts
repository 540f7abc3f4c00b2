import type { Migration } from "../../../migrations/history/history";
import { identifier } from "../../../migrations/sql/identifier";
import type { Defined } from "../../../migrations/statements/replay-rules";
import type { Session } from "../../db/connection";
import type { Run } from "../../run";
import { onScratch, type Unknown } from "../scratch";
import { type IgnoredFinding, withoutIgnored } from "./ignore";
import type { Snapshot } from "./object";
import { type Managed, managedByHistory } from "./outside";
import { readObjects } from "./read-objects";

/** The live database beside a scratch database with its history. */
export interface Compared extends Managed {
  /** What differs and is left out, as `--ignore` says. */
  readonly ignored: readonly IgnoredFinding[];
  /** The server's major version. */
  readonly major: number;
  readonly scratch: Session;
  /** Everything that the scratch database has, with what the history doesn't manage. */
  readonly before: Snapshot;
  /** What the history has defined on the scratch database. */
  readonly defined: Defined;
}

/**
 * Compares every object of the live database with what these migrations make on a scratch database, but for those that
 * are ignored, and calls `look` while that is still there; or returns the reason why that can't be done.
 */
export function compareObjects<T>(
  run: Run,
  migrations: readonly Migration[],
  look: (compared: Compared) => T | Promise<T>,
): Promise<T | Unknown> {
  const { session, table, settings } = run;
  return onScratch(run, migrations, async (scratch, defined) => {
    const reads = [readObjects(scratch), readObjects(session)] as const;
    // Both end before a failure of one is thrown, as no database can be dropped in a transaction.
    await Promise.allSettled(reads);
    const [expected, actual] = await Promise.all(reads);
    const needed = await neededExtensions(session, expected, actual);
    const managed = managedByHistory(expected, actual, identifier(table.schema), needed);
    const compared = withoutIgnored(managed, settings.drift.ignore);
    return look({ ...compared, major: Math.floor(session.serverVersion / 10_000), scratch, before: expected, defined });
  });
}

/**
 * Returns the keys of the extensions that only the live database has, and that an object of the app needs. Without them
 * the SQL that makes such an object fails.
 */
export async function neededExtensions(session: Session, expected: Snapshot, actual: Snapshot): Promise<Set<string>> {
  const more = [...actual].some(([key, { kind }]) => kind === "extension" && !expected.has(key));
  return new Set(more ? await extensionsInUse(session) : []);
}

/**
 * Returns the keys of the extensions that an object outside of all extensions needs. The indexes, constraints, defaults
 * and rules of an extension's own tables and views are in no extension by themselves, and are left out.
 */
export async function extensionsInUse(session: Session): Promise<string[]> {
  const rows = await session.rows<{ key: string }>(
    `SELECT DISTINCT 'extension ' || quote_ident(x.extname) AS key FROM pg_extension x
       JOIN pg_depend member ON member.refclassid = 'pg_extension'::regclass AND member.refobjid = x.oid AND member.deptype = 'e'
       JOIN pg_depend d ON d.refclassid = member.classid AND d.refobjid = member.objid AND d.deptype IN ('n', 'a')
     WHERE x.extname <> 'plpgsql' AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass,
         'pg_constraint'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass) AND NOT EXISTS
       (SELECT FROM pg_depend own WHERE own.classid = d.classid AND own.objid = d.objid AND (own.deptype = 'e' OR own.deptype IN ('a', 'i') AND EXISTS
         (SELECT FROM pg_depend whole WHERE whole.classid = own.refclassid AND whole.objid = own.refobjid AND whole.deptype = 'e')))`,
  );
  return rows.map(({ key }) => key);
}
