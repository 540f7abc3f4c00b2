import { counted } from "../../../text/counted";
import type { Finding } from "../../failures/findings";
import { nextCommand } from "../../next-command";
import type { Settings } from "../../settings";
import type { HotfixLook } from "./look";

/** Says in one line what a release does with a hotfix, and why. */
export function describeLook({ migration: { name }, verdict, statements, namesOnly }: HotfixLook): string {
  const makes = statements.filter(({ state }) => state === "there" || state === "not there" || state === "other");
  const all = makes.length === 1 ? "what its statement makes" : `what its ${makes.length} statements make`;
  const by = namesOnly === undefined ? "" : ` by name (not compared: ${namesOnly})`;
  const says: Record<HotfixLook["verdict"], string> = {
    record: `${all} is there already; the release records it as applied and does not run it`,
    run: `nothing of it is there${by}; the release runs it as any other`,
    part: "a part of it is there, or something else",
    unseen: `${makes.length === 0 ? "nothing of it can be seen" : `${all} is there, and the rest can't be seen`}`,
    names: `there is something of it${by}`,
  };
  return `${name}: ${says[verdict]}`;
}

/** Says of each statement of a hotfix what of it is there. */
export function lookLines({ statements }: Pick<HotfixLook, "statements">): string[] {
  return statements.flatMap(({ line, text, state, evidence }) => [
    `  line ${line}: ${state.padEnd(9)}  ${text}`,
    `      ${evidence}`,
  ]);
}

/** A hotfix with which the release can't go on. */
export type UndecidedHotfix = Pick<Finding, "what" | "evidence" | "next">;

/**
 * Describes why a release can't decide whether a hotfix was run, with the next command; undefined if it can.
 * @param settings with which the command is written
 */
export function undecided(look: HotfixLook, settings: Settings): UndecidedHotfix | undefined {
  const { verdict, statements, migration, namesOnly } = look;
  if (verdict === "record" || verdict === "run") return undefined;
  const { name } = migration;
  const resolve = nextCommand(`resolve --applied ${name}`, settings);
  const evidence = lookLines(look);
  if (verdict === "part")
    return {
      what: `The hotfix ${name} is there in part, or as something else.`,
      evidence,
      next: `${nextCommand("drift", settings)} (shows what differs, with its SQL); make the database have all of ${name}, or nothing of it`,
    };
  if (verdict === "names")
    return {
      what: `Something of the hotfix ${name} is there by name, and whether it is the same can't be told: ${namesOnly}.`,
      evidence,
      next: `compare it by hand; if all of it is the same: ${resolve}`,
    };
  const unseen = statements.filter(({ state }) => state === "unseen");
  // Only of rows does `resolve` know that they are never seen. A DO block may have made what it would look for.
  const isRows = unseen.every(({ text }) => /^(INSERT|UPDATE|DELETE|MERGE|SELECT|COPY|TRUNCATE|WITH)\b/i.test(text));
  const lines = `${unseen.length === 1 ? "line" : "lines"} ${unseen.map(({ line }) => line).join(", ")}`;
  return {
    what: `The catalog doesn't show whether ${counted(unseen.length, "statement")} of the hotfix ${name} (${lines}) ${unseen.length === 1 ? "was" : "were"} run${unseen.length < statements.length ? "; the others were" : ""}.`,
    evidence,
    next: `see to it that what ${lines} ${unseen.length === 1 ? "does" : "do"} is done here, then: ${isRows ? resolve : nextCommand(`resolve --applied ${name} --force`, settings)}`,
  };
}
