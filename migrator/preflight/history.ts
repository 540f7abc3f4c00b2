import { objectsOf } from "../history-gate";
import { readProgress } from "../progress";
import type { PreflightCheck } from "./context";

const list = (names: readonly string[]) => names.map((name) => `  ${name}`);

export const history: PreflightCheck = {
  name: "history",
  kind: "history",
  level: "fail",
  title: "History of the database and folder agree",
  async run({ run, judgement, tableExists, migrations }) {
    const findings = [];
    const { edited, missing, unfinished, applied, pending } = judgement;
    if (!tableExists && migrations.length > 0) {
      const found = await objectsOf(run.session, run.table.schema);
      if (found.length > 0)
        findings.push({
          what: `The schema "${run.table.schema}" is not empty and has no migration history.`,
          evidence: list(found),
          next: "npm run migrator -- baseline --through MIGRATION (the last one that this database already has)",
        });
    }
    if (edited.length > 0)
      findings.push({
        what: "Migrations were edited after they were applied.",
        evidence: edited.map(({ migration, row }) => `  ${migration.name}, applied ${row.finishedAt?.toISOString()}`),
        next: "restore the files as they were applied, and put the change into a new migration",
      });
    if (missing.length > 0 && !run.settings.allowAhead)
      findings.push({
        what: "The database is ahead: it has migrations that this release does not.",
        evidence: list(missing.map(({ migrationName }) => migrationName)),
        next: "merge the missing migrations, or, if this release takes the app back on purpose, say so with --allow-ahead",
      });
    const resumable = new Set((await readProgress(run.records)).map(({ historyId }) => historyId));
    for (const row of unfinished.filter(({ id }) => !resumable.has(id)))
      findings.push({
        what: `${row.migrationName} was started at ${row.startedAt.toISOString()} and neither finished nor rolled back.`,
        evidence: row.logs ? [row.logs.trim().slice(0, 300)] : [],
        next: `npm run migrator -- resolve --diagnose ${row.migrationName}`,
      });
    return { findings, facts: `${applied.length} applied, ${pending.length} pending` };
  },
};

export const order: PreflightCheck = {
  name: "order",
  kind: "history",
  level: "warn",
  title: "No migration is older than the newest applied one",
  async run({ judgement }) {
    const names = judgement.outOfOrder.map(({ name }) => name);
    const next = "give it a newer name, unless it doesn't depend on its place";
    const what =
      "Pending migrations are older than the newest applied one; they would be applied all the same, as Prisma does.";
    return { findings: names.length > 0 ? [{ what, evidence: list(names), next }] : [], facts: "in order" };
  },
};
