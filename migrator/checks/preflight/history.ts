import { quietText } from "../../db/prisma-output";
import { MissingMigration } from "../../failures/history";
import { nextCommand } from "../../next-command";
import { readProgress } from "../../records/progress";
import { historyElsewhere, objectsOf } from "../history-gate";
import { type BegunHotfix, describeHotfixes, findHotfixes } from "../missing-hotfixes";
import { squashOf } from "../squash";
import type { PreflightCheck } from "./context";

const list = (names: readonly string[]) => names.map((name) => `  ${name}`);

/** Compares the history of the database with the migrations in the folder. */
export const history: PreflightCheck = {
  name: "history",
  kind: "history",
  async run({ run, historyState, tableExists, migrations }) {
    const findings = [];
    const { edited, missing, unfinished, applied, pending } = historyState;
    const elsewhere = tableExists ? undefined : await historyElsewhere(run.session, run.table.schema);
    if (!tableExists && migrations.length > 0) {
      const found = await objectsOf(run.session, run.table.schema);
      if (found.length > 0)
        findings.push({
          what: `The schema "${run.table.schema}" is not empty and has no migration history.`,
          evidence: [...list(found), ...(elsewhere === undefined ? [] : [elsewhere])],
          next: `${nextCommand("baseline --through MIGRATION", run.settings)} (the last one that this database already has)`,
        });
    }
    if (edited.length > 0)
      findings.push({
        what: "Migrations were edited after they were applied.",
        evidence: edited.map(({ migration, row }) => `  ${migration.name}, applied ${row.finishedAt?.toISOString()}`),
        next: "restore the files as they were applied, and put the change into a new migration",
      });
    if (missing.length > 0 && !run.settings.allowDatabaseAhead) {
      const rows = await run.table.read(run.session);
      const squash = await squashOf(run, historyState, rows);
      const names = missing.map(({ migrationName }) => migrationName);
      const hotfixes = await describeHotfixes(run, names);
      findings.push({
        what: squash
          ? `The database has migrations that this release does not, and what ${squash.name} makes is there already: it looks like their squashed form.`
          : "The database is ahead: it has migrations that this release does not.",
        evidence: [...list(names.filter((name) => !hotfixes.some((line) => line.includes(name)))), ...hotfixes],
        next: squash
          ? `${nextCommand(`resolve --applied ${squash.name}`, run.settings)} (records that it stands for them)`
          : MissingMigration.remedy(hotfixes.length === names.length),
      });
    }
    const resumable = new Set((await readProgress(run.records)).map(({ historyId }) => historyId));
    const names = new Set(migrations.map(({ name }) => name));
    const begun = await findHotfixes(
      run,
      unfinished.map(({ migrationName }) => migrationName),
    );
    for (const { id, migrationName, startedAt, logs } of unfinished)
      if (!resumable.has(id) || !names.has(migrationName))
        findings.push({
          what: `${migrationName} was started at ${startedAt.toISOString()} and neither finished nor rolled back${
            names.has(migrationName) ? "" : ", and is not in the folder"
          }.`,
          evidence: quietText(logs ?? "").slice(0, 5),
          next: goesOn(begun, migrationName) ?? nextCommand(`resolve --diagnose ${migrationName}`, run.settings),
        });
    return {
      findings,
      facts: [`${applied.length} applied, ${pending.length} pending`, elsewhere].filter(Boolean).join(". "),
    };
  },
};

/** Returns the command that finishes a hotfix; undefined if the migration is none. */
function goesOn(hotfixes: readonly BegunHotfix[], migration: string): string | undefined {
  const command = hotfixes.find(({ name }) => name === migration)?.command;
  return command && `${command} (the hotfix goes on behind what is done)`;
}

/** Looks for pending migrations that are older than the newest applied one. */
export const order: PreflightCheck = {
  name: "order",
  kind: "history",
  async run({ historyState }) {
    const names = historyState.outOfOrder.map(({ name }) => name);
    const next = "give it a newer name, unless it doesn't depend on its place";
    const what =
      "Pending migrations are older than the newest applied one; they would be applied all the same, as Prisma does.";
    return { findings: names.length > 0 ? [{ what, evidence: list(names), next }] : [], facts: "in order" };
  },
};
