import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HistoryError, type Migration, readHistorySync } from "../../migrations/history/history";
import { decodePayload, PayloadError, payloadKey } from "../../migrations/history/payload";
import { readSqlFileSync, SqlFileError } from "../../migrations/history/sql-file";
import { UnreadableSqlFile } from "../failures/sql-file";
import { UnreadableMigrations } from "../failures/usage";

/**
 * Reads the migrations to work on: from a Prisma folder (if started by hand), or from the pieces of a payload (in the
 * Job's pod).
 * @param begins whether the folder may be missing, because the history begins now. Default: false.
 * @throws UnreadableMigrations with everything that is wrong
 */
export function readMigrations(from: { directory: string } | { payload: string }, begins = false): Migration[] {
  if (begins && "directory" in from && !existsSync(from.directory)) return [];
  try {
    return "directory" in from ? readHistorySync(from.directory) : decodePayload(readPieces(from.payload)).migrations;
  } catch (error) {
    if (error instanceof HistoryError || error instanceof PayloadError) throw new UnreadableMigrations(error.message);
    throw error;
  }
}

/**
 * Reads the file that `sql` runs.
 * @throws UnreadableSqlFile
 */
export function readSqlFile({ path, name }: { path: string; name: string }): Migration {
  try {
    return readSqlFileSync(path, name);
  } catch (error) {
    if (error instanceof SqlFileError) throw new UnreadableSqlFile(error.message);
    throw error;
  }
}

function readPieces(folder: string): Buffer[] {
  let names: Set<string>;
  try {
    names = new Set(readdirSync(folder));
  } catch (error) {
    throw new UnreadableMigrations(
      `The payload in ${folder} can't be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
  const pieces: Buffer[] = [];
  for (let index = 0; names.has(payloadKey(index)); index++) pieces.push(readFileSync(join(folder, payloadKey(index))));
  if (pieces.length === 0) throw new UnreadableMigrations(`The folder ${folder} has no ${payloadKey(0)}.`);
  return pieces;
}
