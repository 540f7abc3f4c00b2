import type { DropStmt, Node, ObjectType } from "libpg-query";
import { gone, partsName } from "../schema/expectation";
import { objectNamed } from "../schema/schema-object";
import { listOf } from "../sql/constant";
import { nameOfParts, nameText, partsOf } from "../sql/identifier";
import { type Dropped, type Family, objectName } from "./family";
import { indexDrops } from "./indexes";
import { policyDrops } from "./policies";
import { plain } from "./replay-rules";
import { routineDrops } from "./routines";
import { sequenceDrops } from "./sequences";
import { serverDrops } from "./server";
import { tableDrops } from "./tables";
import { triggerDrops } from "./triggers";
import { typeDrops } from "./types";
import { type Before, notInHistory, type Undo } from "./undo";
import { indexAgain } from "./undo-index";
import { viewDrops } from "./views";

const elsewhere: Dropped = { opinion: { unknown: "DROP of it has a statement of its own" } };

/**
 * What DROP does, for each kind of object. If a new version of the grammar adds a kind, this doesn't compile until it
 * is listed. For the harmless kinds, an object that depends on the dropped one is either reported by another rule or
 * makes Postgres refuse the DROP.
 */
export const drops: Readonly<Record<ObjectType, Dropped>> = {
  ...tableDrops,
  ...viewDrops,
  ...indexDrops,
  ...policyDrops,
  ...triggerDrops,
  ...routineDrops,
  ...typeDrops,
  ...sequenceDrops,
  ...serverDrops,
  OBJECT_AMOP: elsewhere,
  OBJECT_AMPROC: elsewhere,
  OBJECT_ATTRIBUTE: elsewhere,
  OBJECT_COLUMN: elsewhere,
  OBJECT_DATABASE: elsewhere,
  OBJECT_DEFACL: elsewhere,
  OBJECT_DEFAULT: elsewhere,
  OBJECT_DOMCONSTRAINT: elsewhere,
  OBJECT_LARGEOBJECT: elsewhere,
  OBJECT_PARAMETER_ACL: elsewhere,
  OBJECT_PUBLICATION_NAMESPACE: elsewhere,
  OBJECT_PUBLICATION_REL: elsewhere,
  OBJECT_ROLE: elsewhere,
  OBJECT_SUBSCRIPTION: elsewhere,
  OBJECT_TABCONSTRAINT: elsewhere,
  OBJECT_TABLESPACE: elsewhere,
  OBJECT_USER_MAPPING: elsewhere,
};

/** The statement DROP. Its effect depends on the kind of the dropped objects. */
export const drop: Family<"DropStmt"> = {
  DropStmt: {
    opinion: "judged",
    kind: ({ removeType, concurrent }) => `DROP ${objectName(removeType)}${concurrent ? " CONCURRENTLY" : ""}`,
    unknown(statement) {
      const { opinion } = droppedBy(statement);
      if (opinion === "harmless" && statement.behavior === "DROP_CASCADE")
        return "what depends on it is dropped with it, and the history doesn't tell what that is";
      return typeof opinion === "object" ? opinion.unknown : undefined;
    },
    refusedInTransaction: ({ concurrent }) => (concurrent ? "DROP INDEX CONCURRENTLY" : undefined),
    lock(statement, schema, effects) {
      for (const object of statement.objects ?? [])
        droppedBy(statement).lock?.(nameOfParts(object), schema, effects, statement, object);
    },
    apply(statement, schema) {
      for (const object of statement.objects ?? [])
        droppedBy(statement).apply?.(nameOfParts(object), schema, statement, object);
      for (const object of statement.objects ?? []) {
        const named = objectNamed(statement.removeType, object);
        if (named) schema.definitions?.delete(named);
      }
    },
    expect(statement, schema) {
      const { entry } = droppedBy(statement);
      if (entry === undefined) return [];
      return (statement.objects ?? []).map((object) => {
        if ("String" in object) return gone(`${entry} ${object.String.sval}`);
        if (entry !== "trigger") return gone(`${entry} ${partsName(object, schema)}`);
        const parts = listOf(object);
        return gone(`${entry} ${partsName(parts.slice(0, -1), schema)}.${partsOf(parts).at(-1)}`);
      });
    },
    takesBack: ({ behavior }) => (behavior === "DROP_CASCADE" ? { by: "DROP … CASCADE" } : undefined),
    replay: plain,
    undo: (statement, before) =>
      (statement.objects ?? []).flatMap(
        (object) =>
          droppedBy(statement).undo?.(nameOfParts(object), before, statement, object) ??
          makeAgain(statement, object, before),
      ),
    remains: ({ objects = [] }) => ({ kind: "dropped", relations: objects.map(nameOfParts) }),
  },
};

function droppedBy({ removeType = "OBJECT_TABLE" }: DropStmt): Dropped {
  return drops[removeType] ?? { opinion: { unknown: "the review doesn't know it" } };
}

/** Makes a dropped object again by the statement of the history that made it. */
function makeAgain({ removeType, behavior }: DropStmt, object: Node, before: Before): Undo[] {
  const { schema, write } = before;
  const other = `${objectName(removeType).toLowerCase()} ${nameText(nameOfParts(object))}`;
  const of = objectNamed(removeType, object) ?? ({ kind: "other", key: other } as const);
  const known = schema.definitions?.get(of);
  const sql = known?.node && write(known.node);
  if (behavior === "DROP_CASCADE") return [{ of, never: "CASCADE: what depended on it was dropped with it" }];
  if (sql === undefined) return [{ of, never: notInHistory }];
  const own = of.kind === "view" ? schema.indexesOf(of.key) : [];
  const indexes = own.map(({ name }) => indexAgain(name, before));
  if (!indexes.every((each) => each !== undefined)) return [{ of, never: `${notInHistory}: one of its indexes` }];
  const note = of.kind === "view" && "The privileges on it have to be granted again.";
  return [{ of, sql: [sql, ...indexes.flat()], apart: indexes.length > 0, ...(note && { note }) }];
}
