import type { Migration } from "../../../migrations/history/history";
import type { MigrationPlan } from "../../../migrations/history/plan";
import { bookkeepingChanges } from "../../apply/bookkeeping";
import type { Session } from "../../db/connection";
import type { Run } from "../../run";
import type { PreflightCheck } from "./context";
import { copies } from "./copies";
import { each, type Impossible, type Place } from "./impossible";
import { preparedTransactions } from "./prepared-transactions";

/** Finds statements that fail on every server, or on this one whatever its rows are, before the snapshot is taken. */
export const statements: PreflightCheck = {
  name: "statements",
  kind: "history",
  async run({ run, planned: { plans }, historyState: { pending } }) {
    const found: Impossible[] = [];
    for (const plan of plans) {
      const migration = pending.find(({ name }) => name === plan.name)!;
      found.push(...(await refusedByServer(run.session, migration, plan)), ...bookkeeping(run, plan));
    }
    found.push(
      ...(await extensions(run.session, plans)),
      ...(await preparedTransactions(run.session, plans)),
      ...(await copies(run.session, plans)),
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

/**
 * Lets the server read a file that the parser could not, without running anything of it. The server decides, because it
 * may be newer than the parser.
 */
export async function refusedByServer(
  session: Pick<Session, "rows">,
  migration: Migration,
  plan: MigrationPlan,
): Promise<Impossible[]> {
  if (!plan.error) return [];
  try {
    // The value makes it a message to be prepared: the server parses all statements, and then refuses to prepare
    // several of them, with code 42601 and no position.
    await session.rows(`${migration.sql.replace(/^\ufeff/, "")}\n;SELECT 1;SELECT 2`, [null]);
    return [];
  } catch (error) {
    const { code = "", position } = error as { code?: string; position?: string };
    // Class 54 means that the text is too deep or too long for the server too.
    if (code.startsWith("54"))
      return [{ migration: plan.name, line: 1, why: `the server can't read it either: ${(error as Error).message}` }];
    if (code !== "42601") throw error;
    if (position === undefined) return [];
    const { line, column, message } = plan.error;
    return [{ migration: plan.name, line, why: `the server can't read it at column ${column}: ${message}` }];
  }
}

/** Finds statements that remove the tables in which the release is recorded, or make recording impossible. */
function bookkeeping({ table }: Run, { name: migration, statements: all }: MigrationPlan): Impossible[] {
  return bookkeepingChanges(all, table.schema).map(({ statement: { line }, what }) => ({
    migration,
    line,
    why: `it ${what}, in which the release is being recorded; nobody could tell what is applied`,
  }));
}

async function extensions(session: Session, plans: readonly MigrationPlan[]): Promise<Impossible[]> {
  const wanted: (Place & { name: string; ifNotExists: boolean; version: string | null })[] = [];
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

/**
 * Finds statements that the server refuses in a transaction, but that stand between the file's own BEGIN and COMMIT.
 */
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
