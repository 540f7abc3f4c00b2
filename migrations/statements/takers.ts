import type { DoStmt } from "libpg-query";
import { optionOf } from "../sql/constant";
import { partsOf } from "../sql/identifier";
import { callsOf } from "../sql/references";
import type { Taker } from "./family";

/** Functions of Postgres that migrations often call and that drop nothing. */
const HARMLESS = new Set(
  (
    "setval nextval currval set_config pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_notify pg_sleep version current_setting " +
    "count max min sum avg coalesce now exists greatest least lower upper length concat format quote_ident quote_literal to_regclass generate_series " +
    "pg_get_serial_sequence"
  ).split(" "),
);

/** Returns a taker for a SELECT that calls an unknown function, which may drop or undo what was made before. */
export function takenBySelect(body: object): Taker | undefined {
  const called = callsOf(body)
    .map(({ name }) => name.split(".").at(-1) ?? "")
    .find((name) => !HARMLESS.has(name));
  return called === undefined ? undefined : { by: `SELECT ${called}()` };
}

/**
 * Returns a taker for a DO block that may drop, rename or alter something. Most DO blocks only make an object unless it
 * exists, and these are no takers.
 */
export function takenByDo({ args }: DoStmt): Taker | undefined {
  const code = (partsOf(optionOf(args, "as")?.arg)[0] ?? "").toLowerCase();
  const queries = [...code.matchAll(/\bselect\b([^;]*?)(;|\bthen\b|\bloop\b)/g)].map(([, query]) => query ?? "");
  const called = queries.flatMap((query) => [...query.matchAll(/(\w+)\s*\(/g)].map(([, name]) => name ?? ""));
  const may = called.some(
    (name) => !HARMLESS.has(name) && !/^(exists|select|in|any|and|or|not|where|on|as)$/.test(name),
  );
  if (may || /\b(execute|perform|call|cascade)\b/.test(code)) return { by: "DO" };
  return /\b(drop|rename|schema|alter)\b/.test(code) ? { by: "DO", named: code } : undefined;
}

/**
 * Whether a taker may affect the object with this name. It doesn't if the
 * taker's text names neither the object nor its table.
 */
export function mayConcern({ named }: Taker, name: string): boolean {
  if (named === undefined) return true;
  const words = new Set(named.split(/[^\p{L}\p{N}_$]+/u));
  const names = name.toLowerCase().split(".").slice(1);
  return names.some((each) => words.has(each) || (/\W/.test(each) && named.includes(each)));
}
