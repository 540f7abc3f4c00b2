import type { Node } from "libpg-query";
import { booleanOf, integerOf, textOf } from "../../migrations/sql/constant";
import { settingsOf } from "../prepare/session-settings";
import { defineRule } from "./rule";

/**
 * The longest acceptable wait for a lock, in milliseconds. After that, the app's requests that wait behind the
 * statement reach their own time limits.
 */
const longestWaitMs = 10_000;

/** This rule reports a migration that sets a longer lock_timeout, or none, and so replaces the migrator's. */
export const waitsForLocks = defineRule({
  finds: {
    "waits-for-ever": { classes: ["blocking"], bad: "SET lock_timeout = 0;" },
    "waits-long": { classes: ["blocking"], bad: "SET lock_timeout = '1min';" },
  },
  statement({ node, line }) {
    return settingsOf(node).flatMap(({ name, values: [value] }) => {
      const wait = name === "lock_timeout" ? milliseconds(value) : 0;
      if (wait <= longestWaitMs) return [];
      const endless = wait === Number.POSITIVE_INFINITY;
      return [
        {
          rule: endless ? ("waits-for-ever" as const) : ("waits-long" as const),
          severity: "warning" as const,
          target: `line ${line}`,
          what: `Lets later statements wait for a lock ${endless ? "without a limit" : `for up to ${Math.round(wait / 1000)} s`}, and all queries behind them.`,
          who: "All queries on each table that they wait for block while they wait.",
          howLong: `As long as the longest transaction that uses the table${endless ? "" : ", up to the limit"}`,
          safe: { migrations: [], note: "Leave it out: the migrator sets lock_timeout, and tries again." },
        },
      ];
    });
  },
});

const units: Record<string, number> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Returns a time of Postgres in milliseconds, which is also the unit of a number without one. The result is infinite
 * for 0, for the server's default and for a value that isn't constant.
 */
function milliseconds(value: Node | undefined): number {
  const text = textOf(value) ?? integerOf(value)?.toString() ?? (booleanOf(value) === false ? "0" : "");
  const found = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/.exec(text);
  const time = found ? Number(found[1]) * (found[2] === "" ? 1 : (units[found[2] ?? ""] ?? Number.NaN)) : 0;
  return time > 0 ? time : Number.POSITIVE_INFINITY;
}
