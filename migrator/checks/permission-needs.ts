import type { FunctionParameter, GrantStmt, Node, RangeVar } from "libpg-query";
import { isTemporary, relationMade } from "../../migrations/schema/temporary";
import { listOf, optionOf, textOf } from "../../migrations/sql/constant";
import { keyOf, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { columnsMentioned, tablesRead } from "../../migrations/sql/references";
import type { Body, StatementKind } from "../../migrations/statements/family";
import {
  aboutRole,
  aboutRoles,
  altered,
  createIn,
  foreignKeys,
  may,
  type Need,
  ofObject,
  owns,
  relationsIn,
  renamed,
  superuser,
} from "./permission-objects";

/**
 * A function that reads the needs of one kind of statement. It is declared as a method, because TypeScript then allows
 * a call with a tree whose kind was looked up.
 */
interface Reads<B> {
  read(body: B, node: Node): Need[];
}
type Readers = { readonly [K in StatementKind]?: Reads<Body<K>>["read"] };

/**
 * Returns the rights that a statement needs.
 * @param node the statement as the parser returns it
 */
export function needsOf(node: Node): Need[] {
  const [[tag, body] = ["", {}]] = Object.entries<object>(node);
  const read: Reads<object>["read"] | undefined = isRead(tag) ? NEEDS[tag] : undefined;
  return [...(read?.(body, node) ?? []), ...created(node)];
}

function isRead(tag: string): tag is StatementKind {
  return tag in NEEDS;
}

const IN_DATABASE: Need = { kind: "create-in-database" };

/** Returns the rights for the tables that a query reads, without the table that it changes. */
function reads(node: Node, target?: RangeVar): Need[] {
  return tablesRead(node)
    .filter(({ name }) => !target || keyOf(name) !== keyOf(nameOf(target)))
    .flatMap(({ name, update }): Need[] => [
      { kind: "privilege", name, anyOf: ["SELECT"] },
      ...(update ? [{ kind: "privilege" as const, name, anyOf: ["UPDATE", "DELETE"] }] : []),
    ]);
}

/**
 * Returns the rights for a change of rows. The change also reads the table if it mentions a column and there is no
 * other table that could have that column.
 */
function changes(privilege: string, relation: RangeVar | undefined, others: readonly unknown[], node: Node): Need[] {
  const only = others.every((clause) => clause === undefined) && tablesRead(node).length <= 1;
  return [
    ...may(relation, privilege),
    ...(only && columnsMentioned(node).size > 0 ? may(relation, "SELECT") : []),
    ...reads(node, relation),
  ];
}

function given({ objtype, objects, grantees, is_grant = false, targtype }: GrantStmt): Need[] {
  const roles = is_grant ? aboutRoles(grantees, "role") : [];
  if (targtype !== undefined && targtype !== "ACL_TARGET_OBJECT") return roles;
  const any = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];
  // A role with any privilege may name the table. Without a grant option Postgres grants nothing, and only warns.
  if (objtype === "OBJECT_TABLE") return [...relationsIn(objects).flatMap((table) => may(table, ...any)), ...roles];
  return roles;
}

/** The privileges of which LOCK TABLE needs one, for each mode up to a number. The parser numbers the modes. */
const LOCKS: readonly (readonly [number, readonly string[]])[] = [
  [1, ["SELECT", "UPDATE", "DELETE", "TRUNCATE"]],
  [3, ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]],
  [8, ["UPDATE", "DELETE", "TRUNCATE"]],
];

const NEEDS: Readers = {
  SelectStmt: (_, node) => reads(node),
  InsertStmt: ({ relation, onConflictClause }, node) => [
    ...may(relation, "INSERT"),
    ...(onConflictClause?.action === "ONCONFLICT_UPDATE" ? may(relation, "UPDATE") : []),
    ...reads(node, relation),
  ],
  UpdateStmt: ({ relation, fromClause, withClause }, node) =>
    changes("UPDATE", relation, [fromClause, withClause], node),
  DeleteStmt: ({ relation, usingClause, withClause }, node) =>
    changes("DELETE", relation, [usingClause, withClause], node),
  CopyStmt({ relation, is_from, is_program, filename }, node) {
    const files = is_from ? "pg_read_server_files" : "pg_write_server_files";
    const needs = [...may(relation, is_from ? "INSERT" : "SELECT"), ...reads(node, relation)];
    if (filename === undefined) return needs;
    return [...needs, { kind: "member", role: is_program ? "pg_execute_server_program" : files }];
  },
  TruncateStmt: ({ relations }) => relationsIn(relations).flatMap((each) => may(each, "TRUNCATE")),
  LockStmt: ({ relations, mode = 8 }) =>
    relationsIn(relations).flatMap((each) =>
      may(each, ...(LOCKS.find(([limit]) => mode <= limit)?.[1] ?? []), "MAINTAIN"),
    ),
  AlterTableStmt: altered,
  IndexStmt: ({ relation }) => owns(relation),
  CreateStmt: ({ relation, inhRelations, tableElts = [], constraints = [] }) => [
    ...relationsIn(inhRelations).flatMap((parent) => owns(parent)),
    ...foreignKeys([...tableElts, ...constraints], relation),
    ...tableElts.flatMap((element) =>
      "TableLikeClause" in element ? may(element.TableLikeClause.relation, "SELECT") : [],
    ),
  ],
  CreateTableAsStmt: (_, node) => reads(node),
  CreateTrigStmt: ({ relation, constrrel }) => [...may(relation, "TRIGGER"), ...may(constrrel, "TRIGGER")],
  RuleStmt: ({ relation }) => owns(relation),
  CreatePolicyStmt: ({ table, roles }) => [...owns(table), ...aboutRoles(roles, "role")],
  AlterPolicyStmt: ({ table, roles }) => [...owns(table), ...aboutRoles(roles, "role")],
  CreateStatsStmt: ({ relations }) => relationsIn(relations).flatMap((each) => owns(each)),
  AlterSeqStmt: ({ sequence }) => owns(sequence),
  RefreshMatViewStmt: ({ relation }) => owns(relation, { orMaintain: true }),
  ClusterStmt: ({ relation }) => owns(relation, { orMaintain: true }),
  ReindexStmt: ({ relation, kind }) => (kind === "REINDEX_OBJECT_TABLE" ? owns(relation, { orMaintain: true }) : []),
  ViewStmt: ({ view, replace }) => (replace ? owns(view) : []),
  CreateFunctionStmt({ funcname, parameters = [], replace, options }) {
    const [language] = partsOf(optionOf(options, "language")?.arg);
    const leakproof = optionOf(options, "leakproof")?.arg;
    const isInput = ({ mode = "FUNC_PARAM_DEFAULT" }: FunctionParameter) => !/_(OUT|TABLE)$/.test(mode);
    const inputs = parameters.filter((item) => "FunctionParameter" in item && isInput(item.FunctionParameter));
    return [
      ...(replace ? [{ kind: "function" as const, name: nameOfParts(funcname), inputs: inputs.length }] : []),
      ...(language ? [{ kind: "trusted-language" as const, object: language.toLowerCase() }] : []),
      ...(leakproof && "Boolean" in leakproof && leakproof.Boolean.boolval ? superuser("a LEAKPROOF function") : []),
    ];
  },
  AlterFunctionStmt: ({ func, objtype = "OBJECT_FUNCTION" }) =>
    func ? ofObject(objtype, { ObjectWithArgs: func }) : [],
  AlterEnumStmt: ({ typeName }) => [{ kind: "type", name: nameOfParts(typeName) }],
  AlterDomainStmt: ({ typeName }) => [{ kind: "type", name: nameOfParts(typeName) }],
  DropStmt: ({ removeType, objects = [] }) => objects.flatMap((object) => ofObject(removeType, object, true)),
  CommentStmt: ({ objtype, object }) => ofObject(objtype, object),
  RenameStmt: renamed,
  AlterObjectSchemaStmt: ({ objectType, relation, object, newschema }) => [
    ...(relation ? owns(relation) : ofObject(objectType, object)),
    createIn(newschema),
  ],
  AlterOwnerStmt: ({ objectType, object, newowner }) => [
    ...ofObject(objectType, object),
    ...aboutRole(newowner, "become"),
  ],
  CreateSchemaStmt: ({ authrole }) => [IN_DATABASE, ...aboutRole(authrole, "become")],
  CreateExtensionStmt: ({ extname = "" }) => [{ kind: "extension", object: extname }],
  AlterExtensionStmt: ({ extname = "" }) => [{ kind: "drop-extension", object: extname }],
  GrantStmt: given,
  GrantRoleStmt: ({ granted_roles = [], grantee_roles }) => [
    ...granted_roles.flatMap((item): Need[] =>
      "AccessPriv" in item ? [{ kind: "admin", role: item.AccessPriv.priv_name ?? "" }] : [],
    ),
    ...aboutRoles(grantee_roles, "role"),
  ],
  AlterDefaultPrivilegesStmt: ({ options, action }) => [
    ...aboutRoles(listOf(optionOf(options, "roles")?.arg), "member"),
    ...(action?.is_grant ? aboutRoles(action.grantees, "role") : []),
  ],
  ReassignOwnedStmt: ({ roles, newrole }) => [...aboutRoles(roles, "member"), ...aboutRole(newrole, "member")],
  DropOwnedStmt: ({ roles }) => aboutRoles(roles, "member"),
  CreateRoleStmt: () => [{ kind: "create-role" }],
  DropRoleStmt: () => [{ kind: "create-role" }],
  VariableSetStmt({ kind, name = "", args: [first] = [] }) {
    if (kind !== "VAR_SET_VALUE") return [];
    const value = textOf(first);
    if (name === "role") return value && value !== "none" ? [{ kind: "become", role: value }] : [];
    return name === "session_authorization"
      ? superuser("SET SESSION AUTHORIZATION")
      : [{ kind: "set-parameter", parameter: name }];
  },
  AlterSystemStmt: ({ setstmt }) => [{ kind: "alter-system", parameter: setstmt?.name ?? "" }],
  CreateEventTrigStmt: () => superuser("an event trigger"),
  AlterEventTrigStmt: () => superuser("an event trigger"),
  CreatePublicationStmt({ for_all_tables, pubobjects = [] }) {
    const objects = pubobjects.flatMap((item) => ("PublicationObjSpec" in item ? item.PublicationObjSpec : []));
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

/** Returns the right to create something in a schema. A temporary object is in no schema of the app and needs none. */
function created(node: Node): Need[] {
  const relation = relationMade(node);
  if (relation) return isTemporary(relation) ? [] : [createIn(relation.schemaname)];
  if ("CompositeTypeStmt" in node) return [createIn(node.CompositeTypeStmt.typevar?.schemaname)];
  const parts =
    "CreateEnumStmt" in node
      ? node.CreateEnumStmt.typeName
      : "CreateRangeStmt" in node
        ? node.CreateRangeStmt.typeName
        : "CreateDomainStmt" in node
          ? node.CreateDomainStmt.domainname
          : "CreateFunctionStmt" in node
            ? node.CreateFunctionStmt.funcname
            : undefined;
  return parts ? [createIn(nameOfParts(parts).schema)] : [];
}
