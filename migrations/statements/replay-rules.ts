import type { Node } from "libpg-query";
import { textOf } from "../sql/constant";
import { isPureFunction } from "../sql/pure-functions";
import { callsOf, some } from "../sql/references";

/**
 * What a statement of an applied migration is to a replay on an empty database beside the real ones: `run`, because it defines something
 * inside that database and nothing else; `skip`, because it changes rows only; or why it may not be run there.
 */
export type Replay = "run" | "skip" | { readonly outside: string };

/** What the statements before have defined. Empty at first; the replay of each statement adds to it. */
export interface Defined {
  /** Functions by name, and whether a call of them does nothing but compute. */
  readonly functions: Map<string, boolean>;
  /** A call that a view, a policy or a trigger holds, and that only a query over it would run. */
  held?: string;
}

/** Settings with which a session becomes another role, or loads code. */
const POWERFUL_SETTING =
  /^(role|session_authorization|session_replication_role|.*_preload_libraries|dynamic_library_path)$/;

/** Functions that wait for, or keep waiting, other sessions of the same database only; their use is not a matter of the catalog. */
const WAITING = /^pg_(try_)?advisory_/;

/** A statement that may not be run in a replay. @param reason a clause that continues "because" */
export function outside(reason: string): { outside: string } {
  return { outside: reason };
}

/** A statement that changes rows, or what is not in the catalog: it is left out, and with it every trigger. */
export const skipped = (): Replay => "skip";

/** A statement that names what is there, and runs no expression. */
export const plain = (): Replay => "run";

/** A statement that defines something inside one database. */
export const defines = (body: object, defined: Defined): Replay => called(body, defined) ?? "run";

/** A definition that keeps an expression for later. */
export function holds(body: object, defined: Defined): Replay {
  const held = called(body, defined);
  if (held) defined.held ??= held.outside;
  return "run";
}

/** A statement that makes a table of a query's rows. */
export function selects(body: object, defined: Defined): Replay {
  if (changesRows(body)) return outside("its query changes rows");
  return (
    called(body, defined) ?? (defined.held === undefined ? "run" : outside(`${defined.held}, in a view or a policy`))
  );
}

/** Whether a setting of the session gives it powers. */
export function isPowerful(setting: string): boolean {
  return POWERFUL_SETTING.test(setting);
}

/** The first call, wherever in a statement, that is not known to do nothing but compute. */
export function called(body: object, defined: Defined): { outside: string } | undefined {
  for (const { name, args } of callsOf(body)) {
    const own = defined.functions.get(name.split(".").at(-1)!);
    if (own === true || (own === undefined && name !== "set_config" && isPureFunction(name) && !WAITING.test(name)))
      continue;
    // A name of a setting that is put together counts as the worst.
    if (own === undefined && name === "set_config" && !isPowerful(settingOf(args) ?? "role")) continue;
    return outside(`it calls ${name}, which may do anything`);
  }
  return undefined;
}

/** The name in `set_config('name', …)`. */
function settingOf([name]: readonly Node[]): string | undefined {
  return name && "A_Const" in name ? textOf(name) : undefined;
}

/** Whether a query sets a setting of the session, as the search path. */
export function setsPath(body: object): boolean {
  return callsOf(body).some(({ name }) => name === "set_config");
}

/** Whether a query changes rows, in a WITH too. */
export function changesRows(body: object): boolean {
  return some(body, (node) => ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((kind) => kind in node));
}
