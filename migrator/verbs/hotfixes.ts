import type { Migration } from "../../migrations/history/history";
import { readHistory } from "../checks/history-gate";
import { describeLook, lookLines, undecided } from "../checks/hotfix/describe";
import { type HotfixLook, lookAtHotfixes } from "../checks/hotfix/look";
import { HotfixUndecided } from "../failures/hotfix";
import type { Run } from "../run";

/** The history as `readHistory` returns it. */
export type History = Awaited<ReturnType<typeof readHistory>>;

/**
 * Looks at each pending hotfix before anything is run. One whose effects are all there is recorded as applied, as
 * `resolve --applied` does, with the evidence in the audit trail. The caller holds the migrator's lock.
 * @param resumable as `readHistory` takes it
 * @returns the history after that, in which the recorded ones are applied
 * @throws HotfixUndecided if one is there in part, or if that can't be told; none is then recorded
 */
export async function recordHotfixes(
  run: Run,
  migrations: readonly Migration[],
  history: History,
  resumable?: ReadonlySet<string>,
): Promise<History> {
  const looks = await lookAtHotfixes(run, history);
  const stopping = looks.flatMap((look) => undecided(look, run.settings) ?? []);
  if (stopping.length > 0) throw new HotfixUndecided(stopping);
  for (const look of looks) {
    const { name } = look.migration;
    run.log.event("hotfix.looked", [describeLook(look), ...(look.verdict === "record" ? lookLines(look) : [])], {
      migration: name,
      verdict: look.verdict,
    });
    if (look.verdict === "record") await record(run, look);
  }
  return looks.some(({ verdict }) => verdict === "record") ? readHistory(run, migrations, resumable) : history;
}

/** Writes the row and the evidence in one transaction, so that a kill leaves both or neither. */
async function record({ session, table, records, log }: Run, { migration, statements }: HotfixLook): Promise<void> {
  await records.ensure();
  if (records.unavailable !== undefined)
    log.event("records.unavailable", `Warning: no audit trail is kept: ${records.unavailable}.`);
  const audit = records.auditStatements({
    event: "hotfix.recorded",
    migration: migration.name,
    data: {
      checksum: migration.checksum,
      statements: statements.map(({ line, state, evidence }) => ({ line, state, evidence })),
    },
  });
  await session.run(["BEGIN", table.appliedRow(migration), ...audit, "COMMIT"].join(";\n"));
}
