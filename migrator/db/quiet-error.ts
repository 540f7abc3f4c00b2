import { DatabaseError } from "pg";
import { isMasked, maskedParts, maskSql, replaceParts } from "../../migrations/sql/mask-sql";
import { tokensOf } from "../../migrations/sql/tokens";

/** A database error whose text was reduced by {@link quieten}. */
export interface QuietError extends DatabaseError {
  /** True if something was left out; the server's own log has the whole text. */
  withheld?: boolean;
}

/**
 * Removes from an error of Postgres everything that may be a value of a row or a constant of a statement. Names of
 * tables, columns and constraints stay. What is shown is listed in this file by class of SQLSTATE (PostgreSQL
 * documentation, appendix A). Everything else is left out, including the texts of later versions, of extensions and of
 * the database's own functions.
 * @param sent the text that was sent to the server
 */
export function quieten(error: unknown, sent: string): void {
  if (!(error instanceof DatabaseError)) return;
  const quiet: QuietError = error;
  const { message, detail, hint, where } = quiet;
  const own = isRaisedByCode(quiet);
  quiet.message = own ? RAISED : quietMessage(quiet, sent);
  quiet.detail = own ? undefined : quietDetail(quiet, sent);
  quiet.hint = own || !SHOWN.has(classOf(quiet)) ? undefined : hint;
  quiet.where = quietContext(where);
  quiet.internalQuery = undefined;
  // The original stack begins with the original message.
  quiet.stack = `${quiet.name}: ${quiet.message}`;
  quiet.withheld = quiet.message !== message || quiet.detail !== detail || quiet.hint !== hint;
}

const RAISED =
  "an error that a function or a DO block raised itself; its text may hold values of rows, and is not shown";
const UNKNOWN = "its text may hold values of rows, and is not shown";

/**
 * Returns whether code in the database raised the error itself. RAISE and ASSERT of PL/pgSQL may give any text under
 * any SQLSTATE, and so may other languages and servers behind a foreign table. The error contains the file and the
 * routine of the server's own source that raised it.
 */
function isRaisedByCode({ file, routine, code }: DatabaseError): boolean {
  return (
    routine === undefined ||
    /^exec_stmt_(raise|assert)$/.test(routine) ||
    /^(plpy|plperl|pltcl|plv8|dblink|postgres_fdw)/i.test(file ?? "") ||
    /^(P0001|P0004|38|39|HV)/.test(code ?? "")
  );
}

/** The classes in whose messages every quoted text is the name of an object. */
const NAMES = new Set("0A 0B 0L 0P 21 23 24 25 27 28 2B 2D 2F 3B 40 44 53 54 55 57 72 P0".split(" "));
/** The classes in which a quoted name may have been computed from a value: `email::regclass`, `EXECUTE format(…)`. */
const COMPUTED = new Set("08 26 34 3D 3F 42 58".split(" "));
/** The class of data exceptions, whose messages quote the value that was wrong. */
const DATA = "22";
const SHOWN = new Set([...NAMES, ...COMPUTED, DATA]);

/** Internal errors of the server that contain no value. Source: PostgreSQL, heapam.c, relcache.c, lsyscache.c. */
const INTERNAL = /^(tuple concurrently (updated|deleted)|(cache lookup failed|could not (find|open)) [\w ]+ \d+)$/;

function classOf({ code }: DatabaseError): string {
  return code?.slice(0, 2) ?? "";
}

function quietMessage(error: DatabaseError, sent: string): string {
  const { message } = error;
  const group = classOf(error);
  if (NAMES.has(group) || INTERNAL.test(message)) return message;
  if (COMPUTED.has(group)) return withKnownNames(message, error, sent);
  if (group === DATA) return withoutValues(message);
  return UNKNOWN;
}

/** Text in the quotation marks of any language in which the server writes messages. */
const QUOTED = /"[\s\S]*"|«[\s\S]*»|»[\s\S]*«|„[\s\S]*[“”]|“[\s\S]*”|‘[\s\S]*’|『[\s\S]*』|「[\s\S]*」/g;
const QUOTED_EACH = /"[^"]*"|«[^»]*»|»[^«]*«|„[^“”]*[“”]|“[^”]*”|‘[^’]*’/g;

/**
 * Replaces quoted text and numbers, as in `value "4711" is out of range for type integer`. Everything up to the last
 * quotation mark is replaced, because a value may contain quotation marks itself.
 */
function withoutValues(message: string): string {
  return message.replace(QUOTED, '"…"').replace(/(?<![\w(])(?:0x)?\d[\w.:+-]*/g, "…");
}

/** Keeps a quoted text only if the statement has it as a name, or the error has it as the name of an object. */
function withKnownNames(text: string, error: DatabaseError, sent: string): string {
  const near = /^(.* at or near )"[\s\S]*"$/.exec(text);
  if (near) return `${near[1]}"${wordAt(error, sent) ?? "…"}"`;
  const names = namesIn(sent);
  for (const name of [error.schema, error.table, error.column, error.constraint, error.dataType])
    if (name !== undefined) names.add(name.toLowerCase());
  const known = (name: string) =>
    names.has(name) || name.split(/[.\s[\]]+/).every((part) => part === "" || names.has(part));
  return text.replace(QUOTED_EACH, (quoted) => (known(quoted.slice(1, -1).toLowerCase()) ? quoted : '"…"'));
}

/** Returns the word at the error's position, unless it is (a part of) a constant. */
function wordAt({ position }: DatabaseError, sent: string): string | undefined {
  if (position === undefined) return undefined;
  const at = [...sent].slice(0, Number(position) - 1).join("").length;
  if (isMasked(sent, at)) return undefined;
  return tokensOf(sent.slice(at, at + 200))[0]?.text;
}

/**
 * Returns, in lower case, every name that the text contains outside of its constants; names in the code of functions
 * are included.
 */
function namesIn(sent: string): Set<string> {
  const shown = replaceParts(sent, maskedParts(sent)).replaceAll("$", " ");
  return new Set(
    tokensOf(shown).map(({ text }) =>
      (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase(),
    ),
  );
}

function quietDetail(error: DatabaseError, sent: string): string | undefined {
  const { detail } = error;
  const group = classOf(error);
  if (detail === undefined) return undefined;
  if (group === "23" || group === "44") return keyOf(detail, error.code === "23P01");
  if (group === DATA) return /^A field with precision \d+, scale -?\d+ /.test(detail) ? detail : undefined;
  if (NAMES.has(group)) return detail;
  if (!COMPUTED.has(group)) return undefined;
  return withKnownNames(detail.replace(/'(?:[^']|'')*'/g, "'…'").replace(/\b\d+\b/g, "…"), error, sent);
}

/** Removes the values: `Key (email)=(a@b.example) already exists.` → `Key (email) already exists.` */
function keyOf(detail: string, exclusion: boolean): string | undefined {
  const key = /^(Key|Partition key of the failing row contains) \((.*?)\) ?= ?\([\s\S]*\)([^()]*)$/.exec(detail);
  if (!key) return undefined;
  const [, what, columns = "", after = ""] = key;
  // The text after the value contains at most the name of a table.
  const known = /^( already exists| is duplicated| is (not present in|still referenced from) table "[^"]*")\.$/.test(
    after,
  );
  const end = exclusion ? " conflicts with the key of another row." : known ? after : ".";
  return `${what === "Key" ? "Key" : "Partition key of the failing row:"} (${maskSql(columns)})${end}`;
}

/** Returns the innermost place in a function, a COPY or a table that can be named without a value. */
function quietContext(where: string | undefined): string | undefined {
  for (const line of where?.split("\n") ?? []) {
    const place =
      /^PL\/pgSQL function [^"']+ line \d+ at [\w /.]+$/.exec(line) ??
      /^SQL function "[^"]+"(?: statement \d+| during \w+)?$/.exec(line) ??
      /^COPY [^:]+, line \d+(?:, column [^:]+)?/.exec(line) ??
      /^while [a-z]+ (?:index )?tuple \(\d+,\d+\) in relation "[^"]+"$/.exec(line);
    if (place) return place[0];
  }
  return undefined;
}
