import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type Dirent, existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { HistoryError, type HistoryProblem } from "./history-error";

export { HistoryError } from "./history-error";

/** One migration of a Prisma history. */
export interface Migration {
  /** The name of the migration's folder, which is also its name in `_prisma_migrations`. */
  readonly name: string;
  /** The exact text of migration.sql, including its line ends and its byte order mark. */
  readonly sql: string;
  /** The SHA-256 of the file's bytes in hex, which Prisma writes into `_prisma_migrations.checksum`. */
  readonly checksum: string;
  /** The file's name in messages, for SQL that is no migration. Default: `migration.sql` in the migration's folder. */
  readonly file?: string;
}

const lockFile = "migration_lock.toml";
const script = "migration.sql";

/**
 * Reads a folder of Prisma migrations, in the order in which Prisma applies them (by the bytes of their names). No
 * other code in `migrations/` reads from a disk. An existing folder without migrations is an empty history.
 * @throws HistoryError with every problem that is found, not only the first
 */
export function readHistorySync(directory: string): Migration[] {
  const problems: HistoryProblem[] = [];
  const migrations: Migration[] = [];
  for (const entry of listFolder(directory)) {
    const path = join(directory, entry.name);
    if (entry.name === lockFile) problems.push(...lockProblems(path));
    else if (entry.isSymbolicLink() && linksFolder(path))
      problems.push({
        kind: "link",
        path,
        message: "is a symbolic link, which Prisma passes over; make it a real folder",
      });
    if (!entry.isDirectory()) continue;
    problems.push(...nameProblems(entry.name, path));
    const migration = readMigration(entry.name, path, problems);
    if (migration) migrations.push(migration);
  }
  migrations.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  problems.push(...orderProblems(migrations, directory));
  if (problems.length > 0) throw new HistoryError(directory, problems);
  return migrations;
}

/** The same as `readHistorySync`, for callers that expect a promise. */
export async function readHistory(directory: string): Promise<Migration[]> {
  return readHistorySync(directory);
}

/**
 * The SHA-256 (in hex) of a history, computed from every name and checksum in their order. The same history has the
 * same fingerprint on any machine.
 */
export function fingerprint(migrations: readonly Pick<Migration, "name" | "checksum">[]): string {
  const hash = createHash("sha256");
  // Each entry is hashed as JSON, so that no name can imitate another list of migrations.
  for (const { name, checksum } of migrations) hash.update(`${JSON.stringify([name, checksum])}\n`);
  return hash.digest("hex");
}

/** The checksum that Prisma records for a migration.sql with these bytes (a string is encoded as UTF-8). */
export function checksumOf(sql: string | Uint8Array): string {
  return createHash("sha256").update(sql).digest("hex");
}

function listFolder(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const message =
      code === "ENOENT"
        ? "there is no such folder; name the one that holds migration_lock.toml"
        : code === "ENOTDIR"
          ? "is a file; name the folder that holds migration_lock.toml"
          : `can't be read: ${(error as Error).message}`;
    throw new HistoryError(directory, [{ kind: "no-folder", path: directory, message }]);
  }
}

function readMigration(name: string, path: string, problems: HistoryProblem[]): Migration | undefined {
  const file = join(path, script);
  let bytes: Buffer;
  try {
    const unfit = unfitness(file);
    if (unfit) {
      problems.push({ kind: "no-script", path: file, migration: name, message: unfit });
      return undefined;
    }
    bytes = readFileSync(file);
  } catch (error) {
    const absent = !existsSync(file);
    const inside = existsSync(join(path, lockFile)) ? `; the history is one level deeper: use ${path}` : "";
    const message = absent ? `has no ${script}${inside}` : `its ${script} can't be read: ${(error as Error).message}`;
    problems.push({ kind: "no-script", path, migration: name, message });
    return undefined;
  }
  const decoded = decodeScript(bytes);
  if (decoded.problem === undefined) return { name, sql: decoded.sql, checksum: checksumOf(bytes) };
  problems.push({ kind: "encoding", path: file, migration: name, message: decoded.problem });
  return undefined;
}

/**
 * Decodes a file of SQL.
 * @returns its text, or why Postgres can't take it, as a clause whose subject is the file
 */
export function decodeScript(bytes: Buffer): { sql: string; problem?: undefined } | { problem: string } {
  const zero = bytes.indexOf(0);
  // The byte order mark stays in the text, because checksum and text must describe the same bytes.
  if (isUtf8(bytes) && zero < 0) return { sql: bytes.toString("utf8") };
  return { problem: isUtf8(bytes) ? zeroMessage(bytes, zero) : invalidMessage(bytes) };
}

function zeroMessage(bytes: Buffer, offset: number): string {
  return `has a zero byte in line ${lineAt(bytes, offset)}, which Postgres takes in no statement; save it as UTF-8`;
}

function invalidMessage(bytes: Buffer): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return "is UTF-16; save it as UTF-8";
  // The error is at the first byte that changes when the bytes are decoded as UTF-8 and encoded again.
  const again = Buffer.from(bytes.toString("utf8"));
  let offset = 0;
  while (bytes[offset] === again[offset]) offset++;
  return `is not valid UTF-8: byte 0x${(bytes[offset] ?? 0).toString(16)} in line ${lineAt(bytes, offset)}; save it as UTF-8`;
}

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(10); at >= 0 && at < offset; at = bytes.indexOf(10, at + 1)) line++;
  return line;
}

/** The largest size of a single file (64 MiB). A whole history of 10 MiB is already a large one. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Why a file must not be read; undefined if it may be read or doesn't exist. Reading a FIFO or a device may never end,
 * and a symbolic link could bring any file of this machine into the release, and so into the cluster.
 */
function unfitness(file: string): string | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) return "is a symbolic link; put the file itself there";
  if (!stats.isFile()) return "is no file (a folder, FIFO, socket or device); put the file itself there";
  return stats.size > mostBytes ? `has ${stats.size} bytes; at most ${mostBytes} are read` : undefined;
}

function linksFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function lockProblems(path: string): HistoryProblem[] {
  const unfit = unfitness(path);
  if (unfit) return [{ kind: "provider", path, message: unfit }];
  const provider = /^\s*provider\s*=\s*["']([^"']*)["']/m.exec(readFileSync(path, "utf8"))?.[1];
  if (provider === "postgresql" || provider === "postgres") return [];
  const message =
    provider === undefined
      ? 'names no provider; it should say provider = "postgresql"'
      : `is of provider "${provider}"; only a history for "postgresql" can be released here`;
  return [{ kind: "provider", path, message }];
}

function nameProblems(name: string, path: string): HistoryProblem[] {
  const problem = (message: string): HistoryProblem => ({ kind: "name", path, migration: name, message });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\u0000-\u001f\u007f\ufffd]/.test(name)) return [problem("has a character in its name that can't be read")];
  // The column _prisma_migrations.migration_name is varchar(255), which counts characters and not bytes.
  if ([...name].length > 255) return [problem("has a name of more than 255 characters")];
  if (!/^\d+(_|$)/.test(name))
    return [
      problem(
        "does not begin with its time, as in 20240131120000_add_index, so its place in the order is by chance; rename it, " +
          "and where it is applied already, the row in _prisma_migrations too",
      ),
    ];
  return [];
}

/**
 * Finds names whose number contradicts their order. Names are applied in text order, so where their numbers have
 * another order (`10_b` comes before `2_a`), one of the two is wrong.
 */
function orderProblems(migrations: readonly Migration[], directory: string): HistoryProblem[] {
  const problems: HistoryProblem[] = [];
  let latest: { name: string; digits: string } | undefined;
  for (const { name } of migrations) {
    const digits = /^\d+/.exec(name)?.[0];
    if (digits === undefined) continue;
    // Dates and times (numbers of eight digits or more) are in the right order as text whatever their lengths: 20240131
    // stands for some time of that day.
    const dates = latest !== undefined && Math.min(latest.digits.length, digits.length) >= 8;
    if (latest && !dates && BigInt(digits) < BigInt(latest.digits)) {
      const message = `is applied after ${latest.name}, because names are in text order; give both numbers the same length`;
      problems.push({ kind: "order", path: join(directory, name), migration: name, message });
    } else latest = { name, digits };
  }
  return problems;
}
