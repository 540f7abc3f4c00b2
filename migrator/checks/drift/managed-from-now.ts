import { identifier } from "../../../migrations/sql/identifier";
import type { Session } from "../../db/connection";
import { OWN } from "../catalog";
import { isToolObject } from "../tool-objects";
import { extensionsInUse } from "./compare";
import type { DriftObject, Snapshot } from "./object";
import { type ByAddress, schemaOf, split, unquoted } from "./outside";

/** The objects of a database whose history begins now. */
export interface FromNow {
  readonly managed: Snapshot;
  /** What is in every database to which the history is deployed: the schema of the connection string. */
  readonly present: Snapshot;
  /** The keys of what the history is not to make. */
  readonly outside: readonly string[];
}

/**
 * Leaves out what a first migration must not make: tables in which other tools keep their own history, and schemas that
 * have nothing else; extensions that no object of the app needs; and schemas of roles that this one can't act as, such
 * as those of the hosting.
 * @param schema the schema of the connection string
 */
export async function managedFromNow(session: Session, schema: string, actual: Snapshot): Promise<FromNow> {
  const needed = new Set(await extensionsInUse(session));
  const foreign = new Set(await foreignSchemas(session, schema));
  const isOutside = (key: string, object: DriftObject, all: ByAddress) =>
    object.kind === "extension" ? !needed.has(key) : isTool(object) || foreign.has(schemaOf(object, all) ?? "");
  const first = split(actual, isOutside);
  const emptied = schemasOfTools(actual, first.managed);
  const { managed, outside } = split(first.managed, (_, { kind, name }) => kind === "schema" && emptied.has(name));
  const own = `schema ${identifier(schema)}`;
  return {
    managed,
    present: new Map([...managed].filter(([key]) => key === own)),
    outside: [...first.outside, ...outside].sort(),
  };
}

function isTool({ kind, name }: DriftObject): boolean {
  return isToolObject(kind, unquoted(name));
}

/** Returns the schemas that had tables of other tools, and have nothing left without them. */
function schemasOfTools(actual: Snapshot, managed: Snapshot): Set<string> {
  const schemasOf = (objects: readonly DriftObject[], all: Snapshot) => {
    const byAddress = new Map([...all.values()].map((object) => [object.address, object]));
    return new Set(objects.map((object) => schemaOf(object, byAddress)));
  };
  const tools = schemasOf([...actual.values()].filter(isTool), actual);
  const used = schemasOf(
    [...managed.values()].filter(({ kind }) => kind !== "schema"),
    managed,
  );
  return new Set([...tools].filter((each) => each !== undefined && !used.has(each))) as Set<string>;
}

async function foreignSchemas(session: Session, schema: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT quote_ident(n.nspname) AS name FROM pg_namespace n
     WHERE ${OWN} AND n.nspname NOT IN ('public', $1) AND NOT pg_has_role(current_user, n.nspowner, 'MEMBER')`,
    [schema],
  );
  return rows.map(({ name }) => name);
}
