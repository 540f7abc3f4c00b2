import type { AlterTableStmt, Node, ObjectType, RangeVar, RenameStmt, RoleSpec } from "libpg-query";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";

/** What the role must be allowed for a statement. Whatever can't be told from the text is no need: it stays unknown. */
export type Need =
  /** One of the privileges on a table, a view or a sequence. */
  | { readonly kind: "privilege"; readonly name: Name; readonly anyOf: readonly string[] }
  /** Ownership; a schema's owner may drop and comment on nothing but what `orSchema` allows: dropping. */
  | {
      readonly kind: "relation" | "type";
      readonly name: Name;
      readonly orSchema?: boolean;
      readonly orMaintain?: boolean;
    }
  | { readonly kind: "function"; readonly name: Name; readonly inputs: number | undefined; readonly orSchema?: boolean }
  | { readonly kind: "schema"; readonly schema: string }
  | { readonly kind: "create-in"; readonly schema: string | undefined }
  | { readonly kind: "create-in-database" }
  | { readonly kind: "extension" | "drop-extension" | "trusted-language"; readonly object: string }
  | { readonly kind: "role"; readonly role: string }
  /** May become the role (SET ROLE), has its rights, or may give it to others. */
  | { readonly kind: "become" | "member" | "admin"; readonly role: string }
  | { readonly kind: "create-role" }
  | { readonly kind: "set-parameter" | "alter-system"; readonly parameter: string }
  | { readonly kind: "superuser"; readonly what: string };

/** The owner's rights on a relation. */
export function owns(relation: RangeVar | undefined, more: { readonly orMaintain?: boolean } = {}): Need[] {
  return relation ? [{ kind: "relation", name: nameOf(relation), ...more }] : [];
}

/** One of the privileges on a relation; what is temporary is the role's own. */
export function may(relation: RangeVar | undefined, ...anyOf: string[]): Need[] {
  return relation && relation.relpersistence !== "t" ? [{ kind: "privilege", name: nameOf(relation), anyOf }] : [];
}

/** A right that is about a role, where the role is named. */
export function aboutRole(spec: RoleSpec | undefined, kind: "role" | "become" | "member" | "admin"): Need[] {
  const { roletype, rolename } = spec ?? {};
  return roletype === "ROLESPEC_CSTRING" && rolename !== undefined ? [{ kind, role: rolename }] : [];
}

/** As {@link aboutRole}, for each of a list of roles. */
export function aboutRoles(list: readonly Node[] | undefined, kind: "role" | "member"): Need[] {
  return (list ?? []).flatMap((item) => ("RoleSpec" in item ? aboutRole(item.RoleSpec, kind) : []));
}

/** The relations in a list. */
export function relationsIn(list: readonly Node[] | undefined): RangeVar[] {
  return (list ?? []).flatMap((item) => ("RangeVar" in item ? item.RangeVar : []));
}

/** Says that only a superuser may do something. */
export function superuser(what: string): Need[] {
  return [{ kind: "superuser", what }];
}

/** Foreign keys of columns and of the table: REFERENCES on the tables that they point to. */
export function foreignKeys(elements: readonly Node[], own: RangeVar | undefined): Need[] {
  return elements
    .flatMap((element) => ("ColumnDef" in element ? (element.ColumnDef.constraints ?? []) : [element]))
    .flatMap((element) => ("Constraint" in element ? (element.Constraint.pktable ?? []) : []))
    .filter((table) => !own || keyOf(nameOf(table)) !== keyOf(nameOf(own)))
    .flatMap((table) => may(table, "REFERENCES"));
}

const RELATIONS = new Set<ObjectType>([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_INDEX",
  "OBJECT_SEQUENCE",
  "OBJECT_FOREIGN_TABLE",
]);
const FUNCTIONS = new Set<ObjectType>(["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"]);
const IN_TABLES = new Set<ObjectType>([
  "OBJECT_TRIGGER",
  "OBJECT_RULE",
  "OBJECT_POLICY",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_COLUMN",
]);

/** @param orSchema the owner of its schema may do it too, which is so for dropping, but not for what lies on a table */
export function ofObject(type: ObjectType | undefined, object: Node | undefined, orSchema = false): Need[] {
  const parts = partsOf(object);
  const name: Name = nameOfParts(object);
  if (!type || !object || parts.length === 0) return [];
  if (RELATIONS.has(type)) return [{ kind: "relation", name, orSchema }];
  if (type === "OBJECT_TYPE" || type === "OBJECT_DOMAIN") return [{ kind: "type", name, orSchema }];
  if (FUNCTIONS.has(type)) {
    const { objargs = [], args_unspecified } = "ObjectWithArgs" in object ? object.ObjectWithArgs : {};
    return [{ kind: "function", name, inputs: args_unspecified ? undefined : objargs.length, orSchema }];
  }
  if (IN_TABLES.has(type) && parts.length > 1) {
    const [table, schema] = [parts.at(-2)!, parts.at(-3)];
    return [{ kind: "relation", name: { name: table, ...(schema !== undefined && { schema }) } }];
  }
  if (type === "OBJECT_SCHEMA") return [{ kind: "schema", schema: name.name }];
  if (type === "OBJECT_EXTENSION") return [{ kind: "drop-extension", object: name.name }];
  return type === "OBJECT_ROLE" ? [{ kind: "create-role" }] : [];
}

/** To rename takes the right to make something in the schema too. */
export function renamed({ renameType, relation, object }: RenameStmt): Need[] {
  if (!relation) return ofObject(renameType, object);
  const made: Need[] = renameType && RELATIONS.has(renameType) ? [createIn(relation.schemaname)] : [];
  return [...owns(relation), ...made];
}

/** ALTER TABLE and its like: the owner's rights, and what the subcommands need besides. */
export function altered({ relation, cmds = [], objtype }: AlterTableStmt): Need[] {
  if (!relation) return [];
  const whole: Need[] = objtype === "OBJECT_TYPE" ? [{ kind: "type", name: nameOf(relation) }] : owns(relation);
  return whole.concat(
    cmds.flatMap((item) => {
      if (!("AlterTableCmd" in item)) return [];
      const { subtype, def, newowner } = item.AlterTableCmd;
      if (subtype === "AT_ChangeOwner") return aboutRole(newowner, "become");
      if (!def) return [];
      if (subtype === "AT_AddConstraint" || subtype === "AT_AddColumn") return foreignKeys([def], relation);
      if ("PartitionCmd" in def) return owns(def.PartitionCmd.name);
      return subtype === "AT_AddInherit" && "RangeVar" in def ? owns(def.RangeVar) : [];
    }),
  );
}

/** The right to make something in a schema, the one where names without a schema are made for undefined. */
export function createIn(schema: string | undefined): Need {
  return { kind: "create-in", schema };
}
