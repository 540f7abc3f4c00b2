import { secretsIn } from "../../../migrations/sql/secrets-in-sql";
import { factList, type Snapshot } from "./object";
import type { DriftPlan } from "./plan";
import { type Direction, directionSql, type LockedStatement } from "./report";

/** A new migration for what a database has and its history lacks, before its folder has a name. */
export interface DraftMigration {
  /** The name of its folder, without the time. */
  readonly title: string;
  readonly sql: string;
  readonly statements: readonly LockedStatement[];
}

/** The migrations for a difference, and what they leave as it is. */
export interface Draft {
  readonly migrations: readonly DraftMigration[];
  readonly notGenerated: DriftPlan["notGenerated"];
  /** The roles that the migrations name, as SQL. They must exist on every database. */
  readonly roles: readonly string[];
}

/**
 * Writes the statements of a difference as migrations: one, or two where values are added to an enum, which Postgres
 * lets no statement of the same transaction use. A statement that holds a secret is left out, with those of its parts.
 * @param to the database as it is to be
 * @param title the name of the folder, without the time
 * @param about the first line of each migration
 */
export function draftMigrations(
  direction: Direction,
  to: Snapshot,
  { title, about }: { title: string; about: string },
): Draft {
  const secrets = direction.statements.flatMap(({ key, sql }) =>
    secretsIn(sql).map(({ what }) => ({ key, why: `its SQL holds ${what}, which would come into the repository` })),
  );
  const held = new Set(secrets.map(({ key }) => to.get(key)?.address));
  const isHeld = (key: string) => held.has(to.get(key)?.address) || held.has(to.get(key)?.parent ?? undefined);
  const statements = direction.statements.filter(({ key }) => !isHeld(key));
  const notGenerated = [...direction.notGenerated, ...secrets];
  const addsValue = ({ sql }: LockedStatement) => /^ALTER TYPE \S.* ADD VALUE /.test(sql);
  const [values, others] = [statements.filter(addsValue), statements.filter((each) => !addsValue(each))];
  const parts =
    values.length > 0 && others.length > 0
      ? [
          { title: `${title}_values`, statements: values, notGenerated: [] },
          { title, statements: others, notGenerated },
        ]
      : [{ title, statements, notGenerated }];
  const migrations = parts
    .filter((part) => part.statements.length > 0)
    .map((part) => ({ ...part, sql: directionSql(about, part) }));
  return { migrations, notGenerated, roles: rolesIn(statements, to) };
}

function rolesIn(statements: readonly LockedStatement[], to: Snapshot): string[] {
  const roles = statements.flatMap(({ key }) => {
    const { kind, name, facts } = to.get(key) ?? {};
    return kind === "grant" ? (name ?? []) : kind === "policy" ? factList(facts?.["to"]) : [];
  });
  return [...new Set(roles)].filter((role) => role !== "PUBLIC").sort();
}
