import type { TableEffect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";
import type { Facts, JudgedStatement } from "../facts";
import type { SafeWay } from "../finding";
import { named, target } from "../names";
import { boundTo } from "../safe/split";
import { bandOf } from "../size";
import { defineRule } from "./rule";
import { heaviestOf, severityOf, waiting } from "./waiting";

interface Held {
  readonly effect: TableEffect;
  readonly by: JudgedStatement;
}

/** This rule reports a lock that is held for long, until the transaction ends, because slow statements follow it. */
export const lockHeld = defineRule({
  finds: {
    "lock-held": {
      classes: ["blocking"],
      bad: "ALTER TABLE users ADD COLUMN nick TEXT;\nUPDATE posts SET title = '' WHERE title IS NULL;",
    },
  },
  closing(statements, facts) {
    if (facts.plan.mode === "statements") return [];
    let held = new Map<string, Held>();
    let open = facts.plan.mode === "transaction";
    for (const statement of statements) {
      if (statement.control === "begin") open = true;
      if (statement.control === "commit" || statement.control === "rollback") {
        open = false;
        held = new Map();
      }
      if (!open) continue;
      const blocking = statement.existing.filter(({ lock }) => blockedBy(lock) !== "nothing");
      const own = new Set(blocking.map(({ name }) => target(name)));
      const waits = [...held].filter(([table]) => !own.has(table)).map(([, value]) => value);
      const heaviest = waits.length > 0 ? heaviestOf(slowWork(statement, facts), facts) : undefined;
      const first = waits[0];
      if (heaviest && first) {
        const { band, table } = heaviest;
        return [
          {
            rule: "lock-held",
            severity: severityOf(band),
            target: waits.map(({ effect }) => target(effect.name)).join(", "),
            what: `${first.by.kind} in line ${first.by.line} locks ${named(first.effect.name)}, and the transaction keeps the lock while line ${statement.line} works through ${named(table.name)}.`,
            who: waiting(waits.map(({ effect }) => effect)),
            howLong: facts.duration(band, table.name, statement),
            safe: split(statements, statement, facts),
            // The proposal splits the whole file between its statements, so it is valid for a part of a statement too.
            at: { ...statement, inside: false },
          },
        ];
      }
      for (const effect of blocking) held.set(target(effect.name), { effect, by: statement });
    }
    return [];
  },
});

/** Lists the tables on which a statement works for a second or longer. */
function slowWork({ existing, fewRows }: JudgedStatement, facts: Facts): TableEffect[] {
  if (fewRows) return [];
  return existing.filter(({ work, name }) => work !== "none" && bandOf(work, facts.size(name)) !== "under 1 s");
}

function split(statements: readonly JudgedStatement[], { index: at, line }: JudgedStatement, facts: Facts): SafeWay {
  const bound = boundTo(
    statements.filter(({ index }) => index < at),
    statements.filter(({ index }) => index >= at),
  );
  if (bound !== undefined)
    return {
      migrations: [],
      note: `What follows needs ${bound} from before. Where it can do without, put it into a migration of its own.`,
    };
  const part = (from: number, to?: number) =>
    facts.plan.statements
      .slice(from, to)
      .map(({ text }) => `${text};`)
      .join("\n");
  return part(0).length <= 4000 && facts.plan.mode === "transaction"
    ? { migrations: [part(0, at), part(at)] }
    : { migrations: [], note: `Begin a new migration at line ${line}.` };
}
