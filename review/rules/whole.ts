import { namesItsRows } from "../../migrations/batches/few-rows";
import type { TableEffect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";
import type { SafeWay } from "../finding";
import { bandOf } from "../size";
import { heaviestOf, waiting } from "./blocking";
import { type Context, type JudgedStatement, severityOf, tableText } from "./context";
import { boundTo } from "./split";

/** What concerns the migration as a whole: its transactions, and what a failure in the middle leaves behind. */
export function judgeWhole(locking: readonly LockingStatement[], context: Context): void {
  const statements = locking.map(({ statement }) => statement);
  judgeTransactions(statements, context);
  heldLocks(statements, locking, context);
}

/** What a statement locks and works through of the tables that were there before the release. */
export interface LockingStatement {
  readonly statement: JudgedStatement;
  readonly old: readonly TableEffect[];
  /** The table that takes it longest, where that is more than a moment. */
  readonly heaviest: ReturnType<typeof heaviestOf>;
}

/** The locks and the work of a statement. It is asked before the schema follows the statement, which may drop or rename its tables. */
export function lockingOf(statement: JudgedStatement, context: Context): LockingStatement {
  const old = statement.effect.tables.filter(({ name }) => !context.isNew(name));
  const batched =
    statement.directives?.some(({ name }) => name === "batch") || namesItsRows(statement.node, context.schema);
  const working = old.filter(
    ({ work, name }) => work !== "none" && !batched && bandOf(work, context.size(name)) !== "a moment",
  );
  return { statement, old, heaviest: heaviestOf(working, context) };
}

/** SET and the like change nothing that could be left behind. */
function changes({ kind, control }: JudgedStatement): boolean {
  return control === undefined && kind !== "SET" && kind !== "SHOW" && kind !== "ANALYZE";
}

function judgeTransactions(statements: readonly JudgedStatement[], context: Context): void {
  const { mode } = context.plan;
  const changing = [...new Map(statements.filter(changes).map((each) => [each.index, each])).values()];
  let open = false;
  for (const statement of statements) {
    if (statement.control === "begin") open = true;
    else if (statement.control === "commit" || statement.control === "rollback") open = false;
    else if (open && !statement.canRunInTransaction)
      context.report(
        {
          rule: "concurrently-in-transaction",
          classes: ["failing"],
          severity: "error",
          target: `line ${statement.line}`,
          what: `${statement.outsideTransaction} stands between BEGIN and COMMIT, where Postgres refuses it.`,
          who: "The release stops here.",
          howLong: "always",
          safe: { migrations: [`${statement.text};`], note: "In a migration of its own, without BEGIN and COMMIT." },
        },
        statement,
      );
  }
  if (mode === "own") {
    const inside =
      statements[0]?.control === "begin" &&
      statements.at(-1)?.control === "commit" &&
      statements.filter(({ control }) => control === "begin").length === 1;
    const text = statements.filter(({ control }) => control === undefined || control === "savepoint");
    context.report({
      rule: "own-transaction",
      classes: ["partial"],
      severity: inside ? "info" : "warning",
      target: "",
      what: inside
        ? "It has a BEGIN and COMMIT of its own. They are not needed: a migration runs in one transaction anyway."
        : "It has BEGIN or COMMIT of its own, and statements outside of them: a failure leaves what was committed before.",
      who: inside
        ? "With the Prisma CLI, whoever looks for the cause of a failure: the real error is hidden."
        : "Whoever has to repair a failed release.",
      howLong: "until it is repaired",
      ...(inside && shownWay(text.map((statement) => `${statement.text};`).join("\n"))),
    });
  } else if (mode === "statements" && changing.length > 1) partial(statements, changing, context);
  else if (context.runner === "command" && changing.length > 1)
    context.report({
      rule: "half-applied",
      classes: ["partial"],
      severity: "warning",
      target: "",
      what: `The Prisma CLI from 7.4 on sends its ${changing.length} statements one by one: if one fails, those before it stay, and the history is blocked.`,
      who: "Whoever has to repair a failed release.",
      howLong: "until it is repaired by hand (prisma migrate resolve)",
      safe: {
        migrations: [],
        note: "Let the project's own migrator run it (migrations.runner): one transaction a migration.",
      },
    });
}

function shownWay(sql: string): { safe?: SafeWay } {
  return sql.length <= 2000 ? { safe: { migrations: [sql] } } : {};
}

function partial(statements: readonly JudgedStatement[], changing: readonly JudgedStatement[], context: Context): void {
  const alone = statements.find(({ canRunInTransaction }) => !canRunInTransaction);
  if (!alone) return;
  // Each statement that can't stand in a transaction on its own, the others together.
  const pieces: string[] = [];
  let together: string[] = [];
  // As they stand in the file: what is inside of a DO block stays there.
  const whole = new Set(changing.map(({ index }) => index));
  for (const { text, canRunInTransaction } of context.plan.statements.filter(({ index }) => whole.has(index))) {
    if (canRunInTransaction) together.push(`${text};`);
    else {
      if (together.length > 0) pieces.push(together.join("\n"));
      together = [];
      pieces.push(`${text};`);
    }
  }
  if (together.length > 0) pieces.push(together.join("\n"));
  const prisma = context.runner === "command" ? " The Prisma CLI fails at it, or leaves its history blocked." : "";
  context.report(
    {
      rule: "half-applied",
      classes: ["partial"],
      severity: context.runner === "command" ? "error" : "warning",
      target: "",
      what: `${alone.outsideTransaction} can't stand in a transaction, so its ${changing.length} statements run one by one: if one fails, those before it stay.${prisma}`,
      who: "Whoever has to repair a failed release.",
      howLong: "until the release is run again, which goes on at the statement that failed",
      safe:
        pieces.join("").length <= 4000 && boundTo(statements, statements) === undefined
          ? { migrations: pieces }
          : { migrations: [], note: "Put it into a migration of its own." },
    },
    // It is the whole file that is cut, between its statements.
    { ...alone, inside: false },
  );
}

/** A lock is kept until the transaction ends, so a short one becomes long by what comes after it. */
function heldLocks(
  statements: readonly JudgedStatement[],
  locking: readonly LockingStatement[],
  context: Context,
): void {
  if (context.plan.mode === "statements") return;
  let held = new Map<string, { effect: TableEffect; by: JudgedStatement }>();
  let open = context.plan.mode === "transaction";
  for (const { statement, old, heaviest } of locking) {
    if (statement.control === "begin") open = true;
    if (statement.control === "commit" || statement.control === "rollback") {
      open = false;
      held = new Map();
    }
    if (!open) continue;
    if (heaviest) {
      const own = new Set(old.filter(({ lock }) => blockedBy(lock) !== "nothing").map(({ name }) => tableText(name)));
      const waits = [...held].filter(([table]) => !own.has(table)).map(([, value]) => value);
      if (waits.length > 0) {
        const { band, table } = heaviest;
        const first = waits[0]!;
        const at = statement.index;
        const part = (from: number, to?: number) =>
          context.plan.statements
            .slice(from, to)
            .map(({ text }) => `${text};`)
            .join("\n");
        const short = part(0).length <= 4000 && context.plan.mode === "transaction";
        const bound = boundTo(
          statements.filter(({ index }) => index < at),
          statements.filter(({ index }) => index >= at),
        );
        context.report(
          {
            rule: "lock-held",
            classes: ["blocking"],
            severity: severityOf(band),
            target: waits.map(({ effect }) => tableText(effect.name)).join(", "),
            what: `${first.by.kind} in line ${first.by.line} locks ${tableText(first.effect.name)}, and the lock is kept while line ${statement.line} works through ${tableText(table.name)}.`,
            who: waiting(waits.map(({ effect }) => effect)),
            howLong: context.duration(band, table.name),
            safe:
              bound !== undefined
                ? {
                    migrations: [],
                    note: `What follows needs ${bound} from before: where it can do without, put it into a migration of its own.`,
                  }
                : short
                  ? { migrations: [part(0, at), part(at)] }
                  : { migrations: [], note: `Begin a new migration at line ${statement.line}.` },
          },
          { ...statement, inside: false },
        );
        return;
      }
    }
    for (const effect of old)
      if (blockedBy(effect.lock) !== "nothing") held.set(tableText(effect.name), { effect, by: statement });
  }
}
