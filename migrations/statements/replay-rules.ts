import type { Node } from "libpg-query";
import { textOf } from "../sql/constant";
import { isPureFunction } from "../sql/pure-functions";
import { callsOf, some } from "../sql/references";

/**
 * How a replay treats a statement of an applied migration. A replay runs the history on an empty database on the same
 * server as the real ones. `run`: the statement defines something inside that database and does nothing else. `skip`:
 * it only changes rows. `outside`: the reason why it must not be run there.
 */
export type Replay = "run" | "skip" | { readonly outside: string };

/**
 * What the previous statements of a replay have defined. It is empty at
 * first, and the replay of each statement adds to it.
 */
export interface Defined {
  /** The functions by name; the value is whether a call of the function has no effect except its result. */
  readonly functions: Map<string, boolean>;
  /** A call inside a view, a policy or a trigger, which only runs when a query uses that object. */
  held?: string;
}

/** The settings by which a session changes its role or loads code. */
const POWERFUL_SETTING =
  /^(role|session_authorization|session_replication_role|.*_preload_libraries|dynamic_library_path)$/;

/**
 * Functions that only affect other sessions of the same database, by waiting for them or making
 * them wait. They have no effect on the catalog.
 */
const WAITING = /^pg_(try_)?advisory_/;

/**
 * A statement that must not be run in a replay.
 * @param reason a clause that continues "because"
 */
export function outside(reason: string): { outside: string } {
  return { outside: reason };
}

/** A statement that changes rows, or something outside of the catalog. A replay skips it, so no trigger runs either. */
export const skipped = (): Replay => "skip";

/** A statement that only names existing objects and runs no expression. */
export const plain = (): Replay => "run";

/** A statement that defines something inside one database. */
export const defines = (body: object, defined: Defined): Replay => called(body, defined) ?? "run";

/** A definition that stores an expression, which later queries run. */
export function holds(body: object, defined: Defined): Replay {
  const held = called(body, defined);
  if (held) defined.held ??= held.outside;
  return "run";
}

/** A statement that makes a table from a query's rows. */
export function selects(body: object, defined: Defined): Replay {
  if (changesRows(body)) return outside("its query changes rows");
  return (
    called(body, defined) ?? (defined.held === undefined ? "run" : outside(`${defined.held}, in a view or a policy`))
  );
}

/** Whether a session setting changes the session's role or loads code. */
export function isPowerful(setting: string): boolean {
  return POWERFUL_SETTING.test(setting);
}

/**
 * The first call in a statement of a function that may have effects, as a reason
 * against a replay; undefined if there is none.
 */
export function called(body: object, defined: Defined): { outside: string } | undefined {
  for (const { name, args } of callsOf(body)) {
    const own = defined.functions.get(name.split(".").at(-1)!);
    if (own === true || (own === undefined && name !== "set_config" && isPureFunction(name) && !WAITING.test(name)))
      continue;
    // If the name of the setting is computed, the most dangerous setting is assumed.
    if (own === undefined && name === "set_config" && !isPowerful(settingOf(args) ?? "role")) continue;
    return outside(`it calls ${name}, which may do anything`);
  }
  return undefined;
}

/** The name in `set_config('name', …)`. */
function settingOf([name]: readonly Node[]): string | undefined {
  return name && "A_Const" in name ? textOf(name) : undefined;
}

/** Whether a query changes a session setting, such as the search path. */
export function setsPath(body: object): boolean {
  return callsOf(body).some(({ name }) => name === "set_config");
}

/** Whether a query changes rows, including in a WITH clause. */
export function changesRows(body: object): boolean {
  return some(body, (node) => ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((kind) => kind in node));
}
