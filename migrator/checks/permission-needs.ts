import type { Node } from "libpg-query";
import { type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { columnsMentioned, tablesRead } from "../../migrations/sql/references";

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

/** The needs of one statement, as the parser gives it. */
export function needsOf(node: Node): Need[] {
  const [[tag, statement] = ["", {}]] = Object.entries(node);
  return [...(NEEDS[tag]?.(statement, node) ?? []), ...created(tag, statement)];
}

// biome-ignore lint/suspicious/noExplicitAny: the parser's tree; each reader narrows the part that it reads.
type Tree = any;
type Reader = (statement: Tree, node: Node) => Need[];

const owns = (relation: Tree, more: object = {}): Need[] =>
  relation ? [{ kind: "relation", name: nameOf(relation), ...more }] : [];
const may = (relation: Tree, ...anyOf: string[]): Need[] =>
  relation && relation.relpersistence !== "t" ? [{ kind: "privilege", name: nameOf(relation), anyOf }] : [];
const roleOf = (spec: Tree): string | undefined => (spec?.roletype === "ROLESPEC_CSTRING" ? spec.rolename : undefined);
const named = (spec: Tree, kind: "role" | "become" | "member" | "admin"): Need[] => {
  const role = roleOf(spec);
  return role === undefined ? [] : [{ kind, role }];
};
const rolesIn = (list: Tree[] = []): Tree[] => list.map((item) => item.RoleSpec);
const relations = (list: Tree[] = []): Tree[] => list.map((item) => item.RangeVar).filter(Boolean);
const text = (value: Tree): string => value?.A_Const?.sval?.sval ?? value?.String?.sval ?? "";
const superuser = (what: string): Need[] => [{ kind: "superuser", what }];
const IN_DATABASE: Need = { kind: "create-in-database" };

/** Tables that a query reads, but for the one that it changes. */
const reads = (node: Node, target?: Tree): Need[] =>
  tablesRead(node)
    .filter(({ name }) => !target || JSON.stringify(name) !== JSON.stringify(nameOf(target)))
    .flatMap(({ name, update }): Need[] => [
      { kind: "privilege", name, anyOf: ["SELECT"] },
      ...(update ? [{ kind: "privilege" as const, name, anyOf: ["UPDATE", "DELETE"] }] : []),
    ]);

/** A change of rows also reads them where a column is mentioned, and there is no other table that it could be of. */
const change =
  (privilege: string) =>
  (statement: Tree, node: Node): Need[] => {
    const alone =
      !statement.fromClause && !statement.usingClause && !statement.withClause && tablesRead(node).length <= 1;
    return [
      ...may(statement.relation, privilege),
      ...(alone && columnsMentioned(node).size > 0 ? may(statement.relation, "SELECT") : []),
      ...reads(node, statement.relation),
    ];
  };

/** Foreign keys of columns and of the table. */
const foreignKeys = (elements: Tree[] = [], own?: Tree): Need[] =>
  elements
    .flatMap((element) => (element.ColumnDef ? (element.ColumnDef.constraints ?? []) : [element]))
    .flatMap(({ Constraint }) => (Constraint?.pktable ? [Constraint.pktable] : []))
    .filter((table) => !own || JSON.stringify(nameOf(table)) !== JSON.stringify(nameOf(own)))
    .flatMap((table) => may(table, "REFERENCES"));

/** What is dropped: the owner of its schema may do that too, but not what lies on a table. */
const RELATION_KINDS = ["TABLE", "VIEW", "MATVIEW", "INDEX", "SEQUENCE", "FOREIGN_TABLE"];
const TYPE_KINDS = ["TYPE", "DOMAIN"];
const FUNCTION_KINDS = ["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"];
const kindIn = (kinds: string[], objectType: string) => kinds.some((kind) => objectType === `OBJECT_${kind}`);

function ofObject(objectType: string, object: Tree, orSchema = false): Need[] {
  const parts = partsOf(object?.TypeName?.names ?? object?.ObjectWithArgs?.objname ?? object?.List?.items ?? object);
  if (parts.length === 0) return [];
  const name: Name = { name: parts.at(-1)!, ...(parts.length > 1 && { schema: parts.at(-2)! }) };
  if (kindIn(RELATION_KINDS, objectType)) return [{ kind: "relation", name, orSchema }];
  if (kindIn(TYPE_KINDS, objectType)) return [{ kind: "type", name, orSchema }];
  if (kindIn(FUNCTION_KINDS, objectType)) {
    const { objargs, args_unspecified } = object?.ObjectWithArgs ?? {};
    return [{ kind: "function", name, inputs: args_unspecified ? undefined : (objargs ?? []).length, orSchema }];
  }
  if (kindIn(["TRIGGER", "RULE", "POLICY", "TABCONSTRAINT", "COLUMN"], objectType) && parts.length > 1) {
    const [table, schema] = [parts.at(-2)!, parts.at(-3)];
    return [{ kind: "relation", name: { name: table, ...(schema !== undefined && { schema }) } }];
  }
  if (objectType === "OBJECT_SCHEMA") return [{ kind: "schema", schema: parts.at(-1)! }];
  if (objectType === "OBJECT_EXTENSION") return [{ kind: "drop-extension", object: parts.at(-1)! }];
  if (objectType === "OBJECT_ROLE") return [{ kind: "create-role" }];
  return [];
}

/** To rename and to move take the right to make something in the schema too. */
const renamed: Reader = ({ renameType = "", relation, object }) =>
  relation
    ? [
        ...owns(relation),
        ...(kindIn(RELATION_KINDS, renameType) ? [{ kind: "create-in" as const, schema: relation.schemaname }] : []),
      ]
    : ofObject(renameType, object);

const given: Reader = (statement) => {
  const { objtype = "", objects = [], grantees = [], is_grant = false, targtype } = statement;
  const roles = is_grant ? rolesIn(grantees).flatMap((spec) => named(spec, "role")) : [];
  if (targtype !== undefined && targtype !== "ACL_TARGET_OBJECT") return roles;
  const any = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];
  // Whoever has any privilege may name it: without a grant option nothing is granted, and that is only a warning.
  if (objtype === "OBJECT_TABLE") return [...relations(objects).flatMap((table) => may(table, ...any)), ...roles];
  return roles;
};

const table: Reader = ({ relation, cmds = [], objtype = "" }) =>
  (objtype === "OBJECT_TYPE" ? [{ kind: "type" as const, name: nameOf(relation) }] : owns(relation)).concat(
    cmds.flatMap(({ AlterTableCmd: { subtype = "", def = {}, newowner, name } }: Tree) => {
      if (subtype === "AT_ChangeOwner") return [...named(newowner, "become")];
      if (subtype === "AT_AddConstraint") return foreignKeys([def], relation);
      if (subtype === "AT_AddColumn") return foreignKeys([def], relation);
      if (subtype === "AT_AttachPartition" || subtype === "AT_DetachPartition") return owns(def.PartitionCmd?.name);
      if (subtype === "AT_AddInherit") return owns(def.RangeVar);
      void name;
      return [];
    }),
  );

const PARENTS: Reader = ({ relation, inhRelations = [], tableElts = [], constraints = [] }) => [
  ...relations(inhRelations).flatMap((parent) => owns(parent)),
  ...foreignKeys([...tableElts, ...constraints], relation),
  ...tableElts.flatMap((element: Tree) =>
    element.TableLikeClause ? may(element.TableLikeClause.relation, "SELECT") : [],
  ),
];

const option = (list: Tree[] = [], name: string): Tree =>
  list.map((item) => item.DefElem).find((element) => element?.defname === name);

const LOCKS: [number, string[]][] = [
  [1, ["SELECT", "UPDATE", "DELETE", "TRUNCATE"]],
  [3, ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]],
  [8, ["UPDATE", "DELETE", "TRUNCATE"]],
];

const NEEDS: Record<string, Reader> = {
  SelectStmt: (_, node) => reads(node),
  InsertStmt: ({ relation, onConflictClause }, node) => [
    ...may(relation, "INSERT"),
    ...(onConflictClause?.action === "ONCONFLICT_UPDATE" ? may(relation, "UPDATE") : []),
    ...reads(node, relation),
  ],
  UpdateStmt: change("UPDATE"),
  DeleteStmt: change("DELETE"),
  CopyStmt: ({ relation, is_from, is_program, filename }, node) => [
    ...may(relation, is_from ? "INSERT" : "SELECT"),
    ...reads(node, relation),
    ...(filename === undefined
      ? []
      : [
          {
            kind: "member" as const,
            role: is_program ? "pg_execute_server_program" : is_from ? "pg_read_server_files" : "pg_write_server_files",
          },
        ]),
  ],
  TruncateStmt: ({ relations: list }) => relations(list).flatMap((each) => may(each, "TRUNCATE")),
  LockStmt: ({ relations: list, mode = 8 }) =>
    relations(list).flatMap((each) => may(each, ...LOCKS.find(([limit]) => mode <= limit)![1], "MAINTAIN")),
  AlterTableStmt: table,
  IndexStmt: ({ relation }) => owns(relation),
  CreateStmt: PARENTS,
  CreateTableAsStmt: (_, node) => reads(node),
  CreateTrigStmt: ({ relation, constrrel }) => [...may(relation, "TRIGGER"), ...may(constrrel, "TRIGGER")],
  RuleStmt: ({ relation }) => owns(relation),
  CreatePolicyStmt: ({ table: on, roles }) => [...owns(on), ...rolesIn(roles).flatMap((spec) => named(spec, "role"))],
  AlterPolicyStmt: ({ table: on, roles }) => [...owns(on), ...rolesIn(roles).flatMap((spec) => named(spec, "role"))],
  CreateStatsStmt: ({ relations: list }) => relations(list).flatMap((each) => owns(each)),
  AlterSeqStmt: ({ sequence }) => owns(sequence),
  RefreshMatViewStmt: ({ relation }) => owns(relation, { orMaintain: true }),
  ClusterStmt: ({ relation }) => owns(relation, { orMaintain: true }),
  ReindexStmt: ({ relation, kind }) => (kind === "REINDEX_OBJECT_TABLE" ? owns(relation, { orMaintain: true }) : []),
  ViewStmt: ({ view, replace }) => (replace ? owns(view) : []),
  CreateFunctionStmt: ({ funcname, parameters = [], replace, options }) => {
    const language = text(option(options, "language")?.arg);
    const inputs = parameters.filter(({ FunctionParameter: { mode = "" } }: Tree) => !/_(OUT|TABLE)$/.test(mode));
    return [
      ...(replace ? [{ kind: "function" as const, name: nameOfParts(funcname), inputs: inputs.length }] : []),
      ...(language ? [{ kind: "trusted-language" as const, object: language.toLowerCase() }] : []),
      ...(option(options, "leakproof")?.arg?.Boolean?.boolval ? superuser("a LEAKPROOF function") : []),
    ];
  },
  AlterFunctionStmt: ({ func, objtype = "OBJECT_FUNCTION" }) => ofObject(objtype, { ObjectWithArgs: func }),
  AlterEnumStmt: ({ typeName }) => [{ kind: "type", name: nameOfParts(typeName) }],
  AlterDomainStmt: ({ typeName }) => [{ kind: "type", name: nameOfParts(typeName) }],
  DropStmt: ({ removeType = "", objects = [] }) =>
    objects.flatMap((object: Tree) => ofObject(removeType, object, true)),
  CommentStmt: ({ objtype = "", object }) => ofObject(objtype, object),
  RenameStmt: renamed,
  AlterObjectSchemaStmt: ({ objectType = "", relation, object, newschema }) => [
    ...(relation ? owns(relation) : ofObject(objectType, object)),
    { kind: "create-in", schema: newschema },
  ],
  AlterOwnerStmt: ({ objectType = "", object, newowner }) => [
    ...ofObject(objectType, object),
    ...named(newowner, "become"),
  ],
  CreateSchemaStmt: ({ authrole }) => [IN_DATABASE, ...named(authrole, "become")],
  CreateExtensionStmt: ({ extname = "" }) => [{ kind: "extension", object: extname }],
  AlterExtensionStmt: ({ extname = "" }) => [{ kind: "drop-extension", object: extname }],
  GrantStmt: given,
  GrantRoleStmt: ({ granted_roles = [], grantee_roles = [] }) => [
    ...granted_roles.map(({ AccessPriv }: Tree) => ({ kind: "admin" as const, role: AccessPriv.priv_name })),
    ...rolesIn(grantee_roles).flatMap((spec) => named(spec, "role")),
  ],
  AlterDefaultPrivilegesStmt: ({ options, action }) => [
    ...(option(options, "roles")?.arg?.List?.items ?? []).flatMap((item: Tree) => named(item.RoleSpec, "member")),
    ...(action?.is_grant ? rolesIn(action.grantees).flatMap((spec) => named(spec, "role")) : []),
  ],
  ReassignOwnedStmt: ({ roles, newrole }) => [
    ...rolesIn(roles).flatMap((spec) => named(spec, "member")),
    ...named(newrole, "member"),
  ],
  DropOwnedStmt: ({ roles }) => rolesIn(roles).flatMap((spec) => named(spec, "member")),
  CreateRoleStmt: () => [{ kind: "create-role" }],
  DropRoleStmt: () => [{ kind: "create-role" }],
  VariableSetStmt: ({ kind, name = "", args = [] }) => {
    if (kind !== "VAR_SET_VALUE") return [];
    const value = text(args[0]);
    if (name === "role") return value && value !== "none" ? [{ kind: "become", role: value }] : [];
    return name === "session_authorization"
      ? superuser("SET SESSION AUTHORIZATION")
      : [{ kind: "set-parameter", parameter: name }];
  },
  AlterSystemStmt: ({ setstmt }) => [{ kind: "alter-system", parameter: setstmt?.name ?? "" }],
  CreateEventTrigStmt: () => superuser("an event trigger"),
  AlterEventTrigStmt: () => superuser("an event trigger"),
  CreatePublicationStmt: ({ for_all_tables, pubobjects = [] }) => {
    const objects: Tree[] = pubobjects.map(({ PublicationObjSpec }: Tree) => PublicationObjSpec);
    const whole = for_all_tables || objects.some(({ pubobjtype = "" }) => /SCHEMA/.test(pubobjtype));
    return [
      IN_DATABASE,
      ...(whole ? superuser("a publication of all tables, or of a schema's") : []),
      ...objects.flatMap(({ pubtable }) => owns(pubtable?.relation)),
    ];
  },
  CreateFdwStmt: () => superuser("a foreign-data wrapper"),
  CreateTableSpaceStmt: () => superuser("a tablespace"),
  CreateOpClassStmt: () => superuser("an operator class"),
  CreateOpFamilyStmt: () => superuser("an operator family"),
  CreateAmStmt: () => superuser("an access method"),
};

/** The right to make something in a schema; what is temporary is in none. */
function created(tag: string, statement: Tree): Need[] {
  const relation: Tree = {
    CreateStmt: statement?.relation,
    CreateTableAsStmt: statement?.into?.rel,
    ViewStmt: statement?.view,
    CreateSeqStmt: statement?.sequence,
    CreateForeignTableStmt: statement?.base?.relation,
  }[tag];
  if (relation)
    return relation.relpersistence === "t" || relation.schemaname === "pg_temp"
      ? []
      : [{ kind: "create-in", schema: relation.schemaname }];
  const parts = {
    CreateEnumStmt: statement?.typeName,
    CreateRangeStmt: statement?.typeName,
    CreateDomainStmt: statement?.domainname,
    CreateFunctionStmt: statement?.funcname,
  }[tag];
  if (parts) return [{ kind: "create-in", schema: nameOfParts(parts).schema }];
  return tag === "CompositeTypeStmt" ? [{ kind: "create-in", schema: statement.typevar?.schemaname }] : [];
}
