import { escapeIdentifier } from "pg";
import { missingRights } from "../missing-rights";
import type { PreflightCheck } from "./context";

/** Checks whether the role has the rights that the pending migrations need. */
export const permissions: PreflightCheck = {
  name: "permissions",
  kind: "permission",
  async run({ run, planned, historyState, tableExists }) {
    if (historyState.pending.length === 0) return { findings: [], facts: "nothing is pending" };
    const { session, table } = run;
    const schema = escapeIdentifier(table.schema);
    const findings = [];
    const [row] = await session.rows<{
      exists: boolean;
      create: boolean;
      database: boolean;
      own: boolean;
      user: string;
    }>(
      `SELECT to_regnamespace($1) IS NOT NULL AS exists, -- Of several rights in one text, one would do.
         has_schema_privilege(to_regnamespace($1), 'CREATE') AND has_schema_privilege(to_regnamespace($1), 'USAGE') AS create,
         has_database_privilege(current_database(), 'CREATE') AS database, to_regnamespace('_release') IS NOT NULL AS own, current_user AS user`,
      [schema],
    );
    const { exists, create, database, own, user } = row!;
    if (exists && !create && !tableExists)
      findings.push({
        what: `The role ${user} may not make tables in the schema ${schema}.`,
        evidence: [],
        next: `GRANT CREATE, USAGE ON SCHEMA ${schema} TO ${escapeIdentifier(user)}`,
      });
    if (!exists && !database)
      findings.push({
        what: `The schema ${schema} doesn't exist, and the role ${user} may not make it.`,
        evidence: [],
        next: `CREATE SCHEMA ${schema} AUTHORIZATION ${escapeIdentifier(user)}`,
      });
    const missing = await missingRights(run.plans, session, historyState.pending, user, table.schema);
    const [first] = missing;
    if (first)
      findings.push({
        what: `The role ${user} may not do what the migrations say.`,
        evidence: missing.map(({ migration, line, what }) => `${migration}, line ${line}: needs ${what}`),
        next: first.next,
      });
    if (tableExists) {
      const [history] = await session.rows<{ write: boolean }>(
        "SELECT bool_and(has_table_privilege($1, privilege)) AS write FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) privilege",
        [table.name],
      );
      if (!history!.write)
        findings.push({
          what: `The role ${user} may not write ${table.name}.`,
          evidence: [],
          next: `GRANT SELECT, INSERT, UPDATE ON ${table.name} TO ${escapeIdentifier(user)}`,
        });
    }
    const steps = planned.plans.filter(({ mode }) => mode !== "transaction").map(({ name }) => name);
    if (!own && !database && steps.length > 0)
      findings.push({
        what: `The role ${user} may not make the schema _release, in which the progress of migrations outside transactions is kept.`,
        evidence: steps,
        next: `CREATE SCHEMA _release AUTHORIZATION ${escapeIdentifier(user)}`,
      });
    return { findings, facts: `${user}, as far as the statements' text tells` };
  },
};
