import type { Node } from "libpg-query";
import { parseScript } from "../sql/parse";
import { isPureFunction } from "../sql/pure-functions";
import { callsOf, walk } from "../sql/references";

/**
 * What a statement of an applied migration is to a replay on an empty database beside the real ones: `run`, because it defines something
 * inside that database and nothing else; `skip`, because it changes rows only; or why it may not be run there.
 */
export type Replay = "run" | "skip" | { readonly outside: string };

/** What the statements before have defined. Empty at first; {@link replayOf} adds to it. */
export interface Defined {
  /** Functions by name, and whether a call of them does nothing but compute. */
  readonly functions: Map<string, boolean>;
  /** A call that a view, a policy or a trigger holds, and that only a query over it would run. */
  held?: string;
}

/** Statements that change rows, or what is not in the catalog: they are left out of a replay, and with them every trigger. */
const ROWS = new Set(
  (
    "InsertStmt UpdateStmt DeleteStmt MergeStmt CopyStmt TruncateStmt LockStmt VacuumStmt RefreshMatViewStmt ReindexStmt ClusterStmt " +
    "NotifyStmt ListenStmt UnlistenStmt ConstraintsSetStmt VariableShowStmt CreatePublicationStmt AlterPublicationStmt"
  ).split(" "),
);

/** Statements that define something inside one database. What is not here, nor among those that have a rule below, is not run. */
const DEFINITIONS = new Set(
  (
    "CreateStmt AlterTableStmt IndexStmt CreateSeqStmt AlterSeqStmt CreateEnumStmt AlterEnumStmt CreateDomainStmt AlterDomainStmt " +
    "CompositeTypeStmt CreateRangeStmt AlterTypeStmt AlterObjectSchemaStmt AlterFunctionStmt CreateStatsStmt AlterStatsStmt " +
    "CreateSchemaStmt AlterDefaultPrivilegesStmt DiscardStmt"
  ).split(" "),
);

/** Definitions that keep an expression for later. */
const HOLDING = new Set("ViewStmt CreatePolicyStmt AlterPolicyStmt CreateTrigStmt RuleStmt".split(" "));

/** Kinds of objects that belong to the whole server or reach out of the database, as the grammar names them. */
const OUTSIDE =
  /ROLE|DATABASE|TABLESPACE|PARAMETER|FOREIGN_SERVER|FDW|SUBSCRIPTION|USER_MAPPING|EVENT_TRIGGER|LANGUAGE|LARGEOBJECT|TRANSFORM|CAST/;

/** Extensions that bring types, functions and operators, and start nothing. */
const EXTENSIONS = new Set(
  (
    "bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore intarray isn lo ltree pg_buffercache " +
    "pg_stat_statements pg_trgm pgcrypto pgrowlocks pgstattuple pg_uuidv7 plpgsql postgis seg sslinfo tablefunc tcn tsm_system_rows " +
    "tsm_system_time unaccent uuid-ossp vector xml2"
  ).split(" "),
);

/** Settings with which a session becomes another role, or loads code. */
const POWERFUL_SETTING =
  /^(role|session_authorization|session_replication_role|.*_preload_libraries|dynamic_library_path)$/;

/** Functions that wait for, or keep waiting, other sessions of the same database only; their use is not a matter of the catalog. */
const WAITING = /^pg_(try_)?advisory_/;

/** Judges the next statement of a history; `defined` holds what the statements before it have defined. */
export function replayOf(node: Node, defined: Defined): Replay {
  const [kind, content] = Object.entries(node)[0] as [string, Record<string, unknown>];
  if (ROWS.has(kind)) return "skip";
  if ("TransactionStmt" in node)
    return /PREPARE/.test(node.TransactionStmt.kind ?? "") ? outside("it prepares a transaction") : "run";
  if ("VariableSetStmt" in node)
    return POWERFUL_SETTING.test(node.VariableSetStmt.name ?? "") ? outside("it takes on another role") : "run";
  if ("CreateFunctionStmt" in node) {
    const language = define(node.CreateFunctionStmt as unknown as Routine, defined);
    // The server compiles a function when it is made, and other languages run code for that.
    if (!/^(sql|plpgsql)$/.test(language)) return outside(`it makes a function in ${language}`);
    return called(withoutBody(node), defined) ?? "run";
  }
  if ("CreateExtensionStmt" in node || "AlterExtensionStmt" in node) {
    const { extname = "" } = content as { extname?: string };
    return EXTENSIONS.has(extname) ? "run" : outside(`the extension ${extname} may do more than define things`);
  }
  const objects = ["objtype", "removeType", "renameType", "objectType"].map((field) => String(content[field] ?? ""));
  if (objects.some((object) => OUTSIDE.test(object)))
    return outside(`it changes what ${describe(kind)} shares or reaches`);
  if (kind === "GrantRoleStmt") return outside("it changes roles");
  if (["GrantStmt", "CommentStmt", "DropStmt", "RenameStmt", "AlterOwnerStmt"].includes(kind)) return "run";
  if ("DefineStmt" in node)
    return /AGGREGATE|COLLATION|TSCONFIGURATION/.test(node.DefineStmt.kind ?? "")
      ? "run"
      : outside("it defines an operator or a base type");
  if (HOLDING.has(kind)) {
    const held = called(node, defined);
    if (held) defined.held ??= held.outside;
    return "run";
  }
  if ("SelectStmt" in node && !node.SelectStmt.intoClause)
    return called(node, defined) ?? (setsPath(node) ? "run" : "skip");
  if ("CreateTableAsStmt" in node || "SelectStmt" in node) {
    if (changesRows(node)) return outside("its query changes rows");
    return (
      called(node, defined) ?? (defined.held === undefined ? "run" : outside(`${defined.held}, in a view or a policy`))
    );
  }
  if (DEFINITIONS.has(kind)) return called(node, defined) ?? "run";
  return outside(`${describe(kind)} is not among the statements that define something inside one database`);
}

function outside(reason: string): { outside: string } {
  return { outside: reason };
}

function describe(kind: string): string {
  return kind === "DoStmt" ? "a DO block" : kind.replace(/Stmt$/, "").replace(/(?<=[a-z])(?=[A-Z])/g, " ");
}

/** The first call, wherever in a statement, that is not known to do nothing but compute. */
function called(node: Node, defined: Defined): { outside: string } | undefined {
  for (const { name, args } of callsOf(node)) {
    const own = defined.functions.get(name.split(".").at(-1)!);
    if (own === true || (own === undefined && name !== "set_config" && isPureFunction(name) && !WAITING.test(name)))
      continue;
    if (own === undefined && name === "set_config" && !POWERFUL_SETTING.test(settingOf(args))) continue;
    return outside(`it calls ${name}, which may do anything`);
  }
  return undefined;
}

/** The name in `set_config('name', …)`; one that is put together counts as the worst. */
function settingOf([name]: readonly Node[]): string {
  const constant = name && "A_Const" in name ? (name.A_Const as { sval?: { sval?: string } }).sval?.sval : undefined;
  return constant ?? "role";
}

function setsPath(node: Node): boolean {
  return callsOf(node).some(({ name }) => name === "set_config");
}

function changesRows(node: Node): boolean {
  let found = false;
  walk(node, (key) => {
    found ||= ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].includes(key);
  });
  return found;
}

interface Routine {
  funcname?: { String?: { sval?: string } }[];
  options?: {
    DefElem?: {
      defname?: string;
      arg?: { String?: { sval?: string }; List?: { items?: { String?: { sval?: string } }[] } };
    };
  }[];
  sql_body?: Node;
}

/** Enters a function, and tells its language. Only one in SQL whose text does nothing but compute is known to do so. */
function define({ funcname, options, sql_body }: Routine, defined: Defined): string {
  const name = funcname?.at(-1)?.String?.sval ?? "";
  const option = (wanted: string) => options?.find(({ DefElem }) => DefElem?.defname === wanted)?.DefElem?.arg;
  const text = option("as")?.List?.items?.[0]?.String?.sval;
  const language = option("language")?.String?.sval?.toLowerCase() ?? "sql";
  let pure = false;
  if (sql_body) pure = !changesRows(sql_body) && called(sql_body, defined) === undefined;
  else if (language === "sql" && text !== undefined) {
    try {
      const body = [...parseScript(text)].map(({ node }) => node);
      pure = body.every(
        (each) => "SelectStmt" in each && !changesRows(each) && called(each, defined) === undefined && !setsPath(each),
      );
    } catch {
      pure = false;
    }
  }
  // Of several functions of one name, each would have to be known.
  defined.functions.set(name, pure && defined.functions.get(name) !== false);
  return language;
}

function withoutBody(node: Extract<Node, { CreateFunctionStmt: unknown }>): Node {
  const { sql_body: _, ...rest } = node.CreateFunctionStmt as unknown as Routine;
  return { CreateFunctionStmt: rest } as Node;
}
