import { maskSql } from "../../migrations/sql/mask-sql";

/**
 * Postgres' messages for common mistakes that contain nothing but names. Source: its message catalogue (postgres.pot).
 */
const HARMLESS = new RegExp(
  `^(?:${[
    'duplicate key value violates unique constraint "[^"]*"',
    'could not create (?:unique index|exclusion constraint) "[^"]*"',
    'conflicting key value violates exclusion constraint "[^"]*"',
    'null value in column "[^"]*" of relation "[^"]*" violates not-null constraint',
    'column "[^"]*" of relation "[^"]*" (?:contains null values|already exists|does not exist)',
    '(?:insert or update|update or delete) on table "[^"]*" violates foreign key constraint "[^"]*"(?: on table "[^"]*")?',
    '(?:new row for relation "[^"]*" violates )?check constraint "[^"]*"(?: of relation "[^"]*" is violated by some row)?',
    '(?:relation|type|schema|constraint|role|database|extension) "[^"]*" (?:already exists|does not exist)',
    "permission denied for (?:table|schema|sequence|database|function|type) \\S+",
    "must be (?:owner of|superuser to) [^:]*",
    "cannot drop .* because other objects depend on it",
    "canceling statement due to (?:lock timeout|statement timeout|user request)",
    "deadlock detected",
    "value too long for type [\\w ()]+",
  ].join("|")})$`,
);

/** The beginning of an error as the Prisma CLI, psql and most drivers print it. */
const ERROR = /^(.*?\b(?:ERROR|FATAL|PANIC): +)(.*)$/;
const NOTICE = /^.*?\b(?:NOTICE|WARNING|INFO|DETAIL|CONTEXT): /;
/** The lines of an error that contain no value. */
const HEADING = /^\s*(?:Error: P\d{4}\b.*|Migration name: .*|Database error(?: code: [0-9A-Z]{5})?:?|HINT: .*)?$/;

const NOT_SHOWN = "its text may hold values of rows, and is not shown";

/**
 * Filters what a command that migrates prints, such as the Prisma CLI, line by line, so that errors of Postgres don't
 * show values of rows. From the first error on, only lines that are known to contain no value are shown. Other output
 * of the command is shown as it is, because nothing is known about it.
 * @returns a function that takes a line and returns what is shown of it; undefined: nothing is shown
 */
export function quietOutput(): (line: string) => string | undefined {
  let failed = false;
  return (line) => {
    const [, lead, message = ""] = ERROR.exec(line) ?? [];
    if (lead !== undefined) {
      failed = true;
      const [, near] = /^(syntax error) at (?:or near "|end of input)/.exec(message) ?? [];
      return `${lead}${HARMLESS.test(message) ? message : (near ?? NOT_SHOWN)}`;
    }
    const key = /^(\s*DETAIL: +Key) \((.*?)\)=\([\s\S]*$/.exec(line);
    if (key) return `${key[1]} (${maskSql(key[2] ?? "")}).`;
    if (NOTICE.test(line) || /\bDbError \{/.test(line)) {
      failed ||= !/\b(?:NOTICE|WARNING|INFO): /.test(line);
      return undefined;
    }
    if (/^\s*Database error/.test(line)) failed = true;
    return !failed || HEADING.test(line) ? line : undefined;
  };
}

/** Filters a whole text in the same way, such as the `logs` of `_prisma_migrations`. */
export function quietText(text: string): string[] {
  const shown = text
    .trim()
    .split("\n")
    .map(quietOutput())
    .filter((line) => line !== undefined);
  return shown.filter((line, index) => line.trim() !== "" || shown[index - 1]?.trim() !== "");
}
