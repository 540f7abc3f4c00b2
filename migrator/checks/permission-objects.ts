import type { AlterTableStmt, Node, ObjectType, RangeVar, RenameStmt, RoleSpec } from "libpg-query";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";

/**
 * A right that the role needs for a statement. What the statement's text doesn't show is left out and stays unknown.
 */
export type Need =
  /** One of the privileges on a table, a view or a sequence. */
  | { readonly kind: "privilege"; readonly name: Name; readonly anyOf: readonly string[] }
  /**
   * Ownership. With `orSchema`, owning the schema is enough, which Postgres allows for dropping and nothing else. With
   * `orMaintain`, the privilege MAINTAIN is enough.
   */
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
  /** The right to become the role (SET ROLE), to have its rights, or to grant it to others. */
  | { readonly kind: "become" | "member" | "admin"; readonly role: string }
  | { readonly kind: "create-role" }
  | { readonly kind: "set-parameter" | "alter-system"; readonly parameter: string }
  | { readonly kind: "superuser"; readonly what: string };

/** Returns the need to own a relation. */
export function owns(relation: RangeVar | undefined, more: { readonly orMaintain?: boolean } = {}): Need[] {
  return relation ? [{ kind: "relation", name: nameOf(relation), ...more }] : [];
}

/** Returns the need for one of the privileges on a relation. A temporary relation is the role's own and needs none. */
export function may(relation: RangeVar | undefined, ...anyOf: string[]): Need[] {
  return relation && relation.relpersistence !== "t" ? [{ kind: "privilege", name: nameOf(relation), anyOf }] : [];
}

/** Returns a need that is about a role, if the statement names the role. */
export function aboutRole(spec: RoleSpec | undefined, kind: "role" | "become" | "member" | "admin"): Need[] {
  const { roletype, rolename } = spec ?? {};
  return roletype === "ROLESPEC_CSTRING" && rolename !== undefined ? [{ kind, role: rolename }] : [];
}

/** Returns the needs of {@link aboutRole} for each role in a list. */
export function aboutRoles(list: readonly Node[] | undefined, kind: "role" | "member"): Need[] {
  return (list ?? []).flatMap((item) => ("RoleSpec" in item ? aboutRole(item.RoleSpec, kind) : []));
}

/** Returns the relations in a list. */
export function relationsIn(list: readonly Node[] | undefined): RangeVar[] {
  return (list ?? []).flatMap((item) => ("RangeVar" in item ? item.RangeVar : []));
}

/**
 * Returns the need to be a superuser.
 * @param what what needs a superuser, for people, for example "a tablespace"
 */
export function superuser(what: string): Need[] {
  return [{ kind: "superuser", what }];
}

/** Returns the needs of foreign keys of columns and of the table: REFERENCES on the tables that they point to. */
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

/**
 * Returns the needs of a statement that changes an object.
 * @param orSchema true if the owner of the object's schema may do it too. This is so for dropping, but not for objects
 *   that lie on a table. Default: false.
 */
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

/** Returns the needs of a RENAME. Besides ownership it needs the right to create something in the schema. */
export function renamed({ renameType, relation, object }: RenameStmt): Need[] {
  if (!relation) return ofObject(renameType, object);
  const made: Need[] = renameType && RELATIONS.has(renameType) ? [createIn(relation.schemaname)] : [];
  return [...owns(relation), ...made];
}

/** Returns the needs of ALTER TABLE and similar statements: ownership, and what their subcommands need besides. */
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

/** Returns the right to create something in a schema; undefined: the schema of names that are written without one. */
export function createIn(schema: string | undefined): Need {
  return { kind: "create-in", schema };
}
