import { join } from "node:path";
import type { Migration } from "../../migrations/history/history";
import { checksumOf } from "../../migrations/history/history";
import { newName } from "../../migrations/history/new-name";
import { writeMigrationSync } from "../../migrations/history/write-migration";
import { REPORT_LINE } from "../../report/report-line";
import { counted } from "../../text/counted";
import { jsonLine } from "../../text/printable";
import type { DraftMigration } from "../checks/drift/draft";
import { Unwritable } from "../failures/revert";
import type { Log } from "../log";
import type { Run } from "../run";

/** A new migration without its statements, as the report of a Job has it. */
export type Drafted = Pick<DraftMigration, "title" | "sql">;

/**
 * Writes new migrations into the folder and says what to change in schema.prisma. The Job's pod has neither, and reports
 * the migrations to the command that started it.
 * @returns the migrations of the folder that are new; none in the Job's pod
 * @throws Unwritable
 */
export async function keepDrafts(
  { settings: { source }, log }: Pick<Run, "settings" | "log">,
  migrations: readonly Migration[],
  drafts: readonly DraftMigration[],
): Promise<Migration[]> {
  for (const { title, statements } of drafts) {
    const lossy = statements.filter(({ loses }) => loses !== undefined);
    log.event("draft", [
      `${title}: ${counted(statements.length, "statement")}, ${lossy.length} destructive.`,
      ...lossy.map(({ key, loses }) => `  Destructive: deletes ${loses}: ${key}`),
    ]);
  }
  if ("directory" in source) return writeDrafts(source.directory, migrations, drafts, log);
  const report = { migrations: drafts.map(({ title, sql }) => ({ title, sql })) };
  log.event("report", `${REPORT_LINE}${jsonLine(report)}`, { report });
  return [];
}

/**
 * Writes new migrations into a folder, each after the last one, and says what to change in schema.prisma.
 * @param migrations the migrations that the folder has
 * @throws Unwritable
 */
export async function writeDrafts(
  directory: string,
  migrations: readonly Migration[],
  drafts: readonly Drafted[],
  log: Pick<Log, "event">,
): Promise<Migration[]> {
  const written: Migration[] = [];
  for (const { title, sql } of drafts) {
    const last = [...migrations, ...written].at(-1)?.name ?? "";
    const name = newName(title, last, new Date());
    try {
      const path = writeMigrationSync(directory, name, sql);
      log.event("draft.written", `Written: ${path}`, { name, path });
    } catch (error) {
      throw new Unwritable(join(directory, name), (error as NodeJS.ErrnoException).code ?? String(error));
    }
    written.push({ name, sql, checksum: checksumOf(sql) });
  }
  // Its parts of Prisma are loaded only now, because no other verb needs them.
  const { schemaLines } = await import("./schema-lines.js");
  log.event("draft.schema", schemaLines(directory, migrations, written));
  return written;
}
