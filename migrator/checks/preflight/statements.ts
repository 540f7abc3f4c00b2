import type { Node, RangeVar } from "libpg-query";
import type { Migration } from "../../../migrations/history/history";
import type { MigrationPlan } from "../../../migrations/history/plan";
import { nodeOf } from "../../apply/left-behind";
import type { Run } from "../../cli/run";
import type { Session } from "../../db/connection";
import type { PreflightCheck } from "./context";

/** A statement that can't run, or that the release can't go on after. */
interface Impossible {
  readonly migration: string;
  readonly line: number;
  readonly why: string;
}

/** What fails on every server, or on this one whatever its rows are, is found before the snapshot. */
export const statements: PreflightCheck = {
  name: "statements",
  kind: "history",
  level: "fail",
  title: "Every statement of the pending migrations can run here",
  async run({ run, planned: { plans }, judgement: { pending } }) {
    const found: Impossible[] = [];
    for (const plan of plans) {
      const migration = pending.find(({ name }) => name === plan.name)!;
      found.push(...(await refusedByServer(run.session, migration, plan)), ...bookkeeping(run, plan));
    }
    found.push(
      ...(await extensions(run.session, plans)),
      ...leftPrepared(plans),
      ...copies(plans),
      ...insideTransactions(plans),
    );
    if (found.length === 0) return { findings: [], facts: plans.length === 0 ? "nothing is pending" : "all of them" };
    return {
      findings: [
        {
          what: "Statements of the pending migrations can't run on this server.",
          evidence: found.map(({ migration, line, why }) => `  ${migration}, line ${line}: ${why}`),
          next: "correct the migration",
        },
      ],
      facts: `${found.length} can't run`,
    };
  },
};

const OF_INTEREST =
  /^(DROP|TRUNCATE|COPY|CREATE\s+EXTENSION|PREPARE|COMMIT|ROLLBACK|ALTER)\b|_prisma_migrations|_release\b/i;

type Visit = (node: Node, at: Impossible) => void;

function each(plans: readonly MigrationPlan[], visit: Visit): void {
  for (const { name: migration, statements: all } of plans)
    for (const statement of all) {
      // Of ten thousands of statements, few are worth parsing again.
      if (!OF_INTEREST.test(statement.text)) continue;
      visit(nodeOf(statement) as Node, { migration, line: statement.line, why: "" });
    }
}

/** The server reads the file without running anything of it: it has the last word, as it may be newer than the parser. */
export async function refusedByServer(
  session: Pick<Session, "rows">,
  migration: Migration,
  plan: MigrationPlan,
): Promise<Impossible[]> {
  if (!plan.error) return [];
  try {
    // A value makes it a message to be prepared: of several statements the server then reads all, and prepares none.
    await session.rows(`${migration.sql.replace(/^\ufeff/, "")}\n;SELECT 1;SELECT 2`, [null]);
    return [];
  } catch (error) {
    const { code, position } = error as { code?: string; position?: string };
    if (code !== "42601") throw error;
    if (position === undefined) return [];
    const { line, column, message } = plan.error;
    return [{ migration: plan.name, line, why: `the server can't read it at column ${column}: ${message}` }];
  }
}

/** Statements that change rows of one table, and what a person says that they do. */
const ROW_CHANGES = [
  ["DeleteStmt", "deletes rows of"],
  ["UpdateStmt", "changes rows of"],
  ["MergeStmt", "changes rows of"],
] as const;

function bookkeeping({ table }: Run, plan: MigrationPlan): Impossible[] {
  const found: Impossible[] = [];
  const isHistory = (parts: readonly string[]) =>
    parts.at(-1) === "_prisma_migrations" && (parts.length === 1 || parts.at(-2) === table.schema);
  each([plan], (node, at) => {
    const report = (what: string) =>
      found.push({
        ...at,
        why: `it ${what}, in which the release is being recorded; nobody could tell what is applied`,
      });
    if ("DropStmt" in node) {
      for (const parts of namesIn(node.DropStmt.objects)) {
        const schemas = node.DropStmt.removeType === "OBJECT_SCHEMA" && parts.at(-1);
        if (
          schemas === "_release" ||
          (schemas && schemas === table.schema && node.DropStmt.behavior === "DROP_CASCADE")
        )
          report(`drops the schema ${schemas}`);
        if (node.DropStmt.removeType === "OBJECT_TABLE" && (isHistory(parts) || parts.at(-2) === "_release"))
          report(`drops ${parts.join(".")}`);
      }
    }
    if ("RenameStmt" in node && node.RenameStmt.renameType === "OBJECT_TABLE") {
      const { schemaname, relname = "" } = node.RenameStmt.relation ?? {};
      if (isHistory([...(schemaname === undefined ? [] : [schemaname]), relname])) report("renames _prisma_migrations");
    }
    for (const [kind, what] of ROW_CHANGES) {
      const { relation } = (Object.entries(node).find(([key]) => key === kind)?.[1] ?? {}) as { relation?: RangeVar };
      if (!relation) continue;
      const { schemaname, relname = "" } = relation;
      const parts = [...(schemaname === undefined ? [] : [schemaname]), relname];
      if (isHistory(parts) || schemaname === "_release") report(`${what} ${parts.join(".")}`);
    }
    if ("TruncateStmt" in node) {
      for (const relation of node.TruncateStmt.relations ?? []) {
        if (!("RangeVar" in relation)) continue;
        const { schemaname, relname = "" } = relation.RangeVar;
        const parts = [...(schemaname === undefined ? [] : [schemaname]), relname];
        if (isHistory(parts) || schemaname === "_release") report(`empties ${parts.join(".")}`);
      }
    }
  });
  return found;
}

function namesIn(objects: readonly Node[] | undefined): string[][] {
  const text = (node: Node) => ("String" in node ? [node.String.sval ?? ""] : []);
  return (objects ?? []).map((node) => ("List" in node ? (node.List.items ?? []).flatMap(text) : text(node)));
}

async function extensions(session: Session, plans: readonly MigrationPlan[]): Promise<Impossible[]> {
  const wanted: (Impossible & { name: string; ifNotExists: boolean; version: string | null })[] = [];
  each(plans, (node, at) => {
    if (!("CreateExtensionStmt" in node)) return;
    const { extname = "", if_not_exists: ifNotExists = false, options = [] } = node.CreateExtensionStmt;
    const version = options.flatMap((option) =>
      "DefElem" in option &&
      option.DefElem.defname === "new_version" &&
      option.DefElem.arg &&
      "String" in option.DefElem.arg
        ? [option.DefElem.arg.String.sval ?? ""]
        : [],
    )[0];
    wanted.push({ ...at, name: extname, ifNotExists, version: version ?? null });
  });
  if (wanted.length === 0) return [];
  const known = await session.rows<{ there: boolean; available: boolean; version: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_extension e WHERE e.extname = w.name) AS there,
       EXISTS (SELECT FROM pg_catalog.pg_available_extensions() a WHERE a.name = w.name) AS available,
       w.version IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_available_extension_versions() v
         WHERE v.name = w.name AND v.version = w.version) AS version
     FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY w(name, version, n) ORDER BY w.n`,
    [wanted.map(({ name }) => name), wanted.map(({ version }) => version)],
  );
  return wanted.flatMap(({ name, version, ifNotExists, migration, line }, at) => {
    const { there, available, version: hasVersion } = known[at]!;
    if (there && ifNotExists) return [];
    if (!available) return [{ migration, line, why: `the extension ${name} is not installed on the server's machine` }];
    return hasVersion
      ? []
      : [{ migration, line, why: `the server has no version ${version} of the extension ${name}` }];
  });
}

/** Rows of a prepared transaction stay invisible, and its locks held, until somebody ends it by hand. */
function leftPrepared(plans: readonly MigrationPlan[]): Impossible[] {
  const open = new Map<string, Impossible>();
  each(plans, (node, at) => {
    if (!("TransactionStmt" in node)) return;
    const { kind, gid = "" } = node.TransactionStmt;
    if (kind === "TRANS_STMT_PREPARE")
      open.set(gid, {
        ...at,
        why: "it prepares a transaction that no migration ends: its rows stay invisible, its locks held",
      });
    if (kind === "TRANS_STMT_COMMIT_PREPARED" || kind === "TRANS_STMT_ROLLBACK_PREPARED") open.delete(gid);
  });
  return [...open.values()];
}

function copies(plans: readonly MigrationPlan[]): Impossible[] {
  const found: Impossible[] = [];
  each(plans, (node, at) => {
    if (!("CopyStmt" in node)) return;
    const { is_from: isFrom = false, filename, is_program: isProgram = false } = node.CopyStmt;
    if (isFrom && filename === undefined && !isProgram)
      found.push({ ...at, why: "COPY … FROM STDIN waits for rows that no migration can send; write them as INSERT" });
  });
  return found;
}

/** What the server refuses in a transaction, between the file's own BEGIN and COMMIT. */
function insideTransactions(plans: readonly MigrationPlan[]): Impossible[] {
  return plans.flatMap(({ name: migration, statements: all }) => {
    let open = false;
    return all.flatMap(({ control, line, outsideTransaction }) => {
      if (control !== undefined && control !== "savepoint") open = control === "begin";
      if (!open || outsideTransaction === undefined) return [];
      return [
        { migration, line, why: `${outsideTransaction} stands between BEGIN and COMMIT, where the server refuses it` },
      ];
    });
  });
}
