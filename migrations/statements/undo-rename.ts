import type { AlterObjectSchemaStmt, Node, ObjectType, RenameStmt } from "libpg-query";
import type { Schema } from "../schema/schema";
import { objectNamed, type SchemaObject } from "../schema/schema-object";
import { listOf } from "../sql/constant";
import { identifier, keyOf, nameOf, nameOfParts, nameText, partsOf } from "../sql/identifier";
import { objectName } from "./family";
import { type Before, notInHistory, type Undo } from "./undo";

/** Objects of the whole server, whose names no migration of one database should change back. */
const shared: ReadonlySet<ObjectType> = new Set(["OBJECT_ROLE", "OBJECT_DATABASE", "OBJECT_TABLESPACE"]);

/** Gives an object its earlier name back: the same statement with both names exchanged. */
export function renameBack(statement: RenameStmt, { write }: Before): Undo[] {
  const { renameType, newname = "" } = statement;
  const of = renamed(statement, newname);
  if (renameType && shared.has(renameType)) return [{ of, never: "it belongs to the whole server" }];
  const sql = partBack(statement) ?? write({ RenameStmt: exchanged(statement) });
  return [sql === undefined ? { of, never: "its name can't be written back" } : { of, sql: [sql] }];
}

/** `ALTER TRIGGER new ON table RENAME TO old`, and the same for policies and rules. */
function partBack({ renameType, relation, subname = "", newname = "" }: RenameStmt): string | undefined {
  if (!relation || !/^OBJECT_(TRIGGER|POLICY|RULE)$/.test(renameType ?? "")) return undefined;
  return `ALTER ${objectName(renameType)} ${identifier(newname)} ON ${nameText(nameOf(relation))} RENAME TO ${identifier(subname)}`;
}

/** The object of a rename or of a SET SCHEMA under its old and its new name; undefined for any other statement. */
export function movedBy(node: Node): { from: SchemaObject; to: SchemaObject } | undefined {
  if ("RenameStmt" in node) {
    const { relation, subname, newname = "", object } = node.RenameStmt;
    const old = subname ?? relation?.relname ?? partsOf(object).at(-1) ?? "";
    return { from: renamed(node.RenameStmt, old), to: renamed(node.RenameStmt, newname) };
  }
  if (!("AlterObjectSchemaStmt" in node)) return undefined;
  const { objectType, relation, object, newschema = "" } = node.AlterObjectSchemaStmt;
  const parts = relation ? partsOfRelation(relation) : partsOf(object);
  const from = objectNamed(objectType, listNode(parts));
  const to = objectNamed(objectType, listNode([newschema, parts.at(-1) ?? ""]));
  return from && to && { from, to };
}

/** The object of a rename under one of its names. */
function renamed({ renameType, relationType, relation, subname, object }: RenameStmt, name: string): SchemaObject {
  const type = renameType === "OBJECT_ATTRIBUTE" ? relationType : renameType;
  if (relation && subname !== undefined) {
    const found = objectNamed(renameType, listNode([...partsOfRelation(relation), name]));
    return found ?? { kind: "other", key: `${objectName(type)} ${name}` };
  }
  const parts = relation ? partsOfRelation(relation) : partsOf(object);
  return (
    objectNamed(renameType, listNode([...parts.slice(0, -1), name])) ?? {
      kind: "other",
      key: `${objectName(type)} ${name}`,
    }
  );
}

function partsOfRelation({ schemaname, relname = "" }: NonNullable<RenameStmt["relation"]>): string[] {
  return schemaname === undefined ? [relname] : [schemaname, relname];
}

function listNode(parts: readonly string[]): Node {
  return { List: { items: parts.map((sval): Node => ({ String: { sval } })) } };
}

function exchanged(statement: RenameStmt): RenameStmt {
  const { relation, subname, newname = "", object } = statement;
  if (subname !== undefined) return { ...statement, subname: newname, newname: subname };
  if (relation) return { ...statement, relation: { ...relation, relname: newname }, newname: relation.relname ?? "" };
  return { ...statement, ...(object && { object: withName(object, newname) }), newname: partsOf(object).at(-1) ?? "" };
}

/** A name as a statement has it, in which the last part is another one. */
function withName(object: Node, name: string): Node {
  const last = (parts: readonly Node[] = []): Node[] => [...parts.slice(0, -1), { String: { sval: name } }];
  if ("List" in object) return { List: { ...object.List, items: last(object.List.items) } };
  if ("TypeName" in object) return { TypeName: { ...object.TypeName, names: last(object.TypeName.names) } };
  if ("ObjectWithArgs" in object)
    return { ObjectWithArgs: { ...object.ObjectWithArgs, objname: last(object.ObjectWithArgs.objname) } };
  return "String" in object ? { String: { sval: name } } : object;
}

/** Updates the definitions of a schema after an object other than a table or a view was renamed. */
export function applyToDefinitions(statement: RenameStmt, schema: Schema): void {
  const { renameType, relation, subname, newname = "", object } = statement;
  const { definitions } = schema;
  if (!definitions || !renameType) return;
  if (renameType === "OBJECT_COLUMN" && relation && subname !== undefined)
    definitions.renameColumn(keyOf(nameOf(relation)), subname, newname);
  else if (renameType === "OBJECT_FUNCTION" || renameType === "OBJECT_PROCEDURE") {
    const [from, to] = [keyOf(nameOfParts(object)), keyOf({ ...nameOfParts(object), name: newname })];
    for (const { object: each } of definitions.list())
      if (each.kind === "function" && each.key === from) definitions.rename(each, { ...each, key: to });
  } else if (!/^OBJECT_(TABLE|VIEW|MATVIEW|FOREIGN_TABLE|TYPE|DOMAIN)$/.test(renameType)) {
    const moved = movedBy({ RenameStmt: statement });
    if (moved) definitions.rename(moved.from, moved.to, withOwnName(definitions.get(moved.from)?.node, newname));
  }
}

/** The definition of an object that stands in its own table, with the object's new name. */
function withOwnName(node: Node | undefined, name: string): Node | undefined {
  if (!node) return undefined;
  if ("IndexStmt" in node) return { IndexStmt: { ...node.IndexStmt, idxname: name } };
  if ("Constraint" in node) return { Constraint: { ...node.Constraint, conname: name } };
  if ("CreateTrigStmt" in node) return { CreateTrigStmt: { ...node.CreateTrigStmt, trigname: name } };
  return "CreatePolicyStmt" in node ? { CreatePolicyStmt: { ...node.CreatePolicyStmt, policy_name: name } } : undefined;
}

/** Moves an object back to its earlier schema. A name that was written without one is in the schema public. */
export function setSchemaBack(statement: AlterObjectSchemaStmt, { write }: Before): Undo[] {
  const { objectType, relation, object, newschema = "" } = statement;
  const parts = relation ? partsOfRelation(relation) : partsOf(object);
  const before = parts.length > 1 ? parts.at(-2)! : "public";
  const moved = [newschema, parts.at(-1) ?? ""];
  const of = objectNamed(objectType, listNode(moved)) ?? {
    kind: "other" as const,
    key: `${objectName(objectType)} ${moved.join(".")}`,
  };
  const named = relation
    ? { relation: { ...relation, schemaname: newschema } }
    : object && { object: inSchema(object, newschema) };
  const sql = write({ AlterObjectSchemaStmt: { ...statement, ...named, newschema: before } });
  return [sql === undefined ? { of, never: notInHistory } : { of, sql: [sql] }];
}

function inSchema(object: Node, schema: string): Node {
  const moved = (parts: readonly Node[] = []): Node[] => [{ String: { sval: schema } }, ...parts.slice(-1)];
  if ("TypeName" in object) return { TypeName: { ...object.TypeName, names: moved(object.TypeName.names) } };
  if ("ObjectWithArgs" in object)
    return { ObjectWithArgs: { ...object.ObjectWithArgs, objname: moved(object.ObjectWithArgs.objname) } };
  return { List: { items: moved(listOf(object)) } };
}
