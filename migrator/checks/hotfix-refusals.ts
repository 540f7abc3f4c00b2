import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan } from "../../migrations/history/plan";
import { nodeOf } from "../../migrations/sql/parse";
import { secretsIn } from "../../migrations/sql/secrets-in-sql";
import { traceOf } from "../../migrations/statements/statements";
import { plannedEffects } from "../apply/planned-effects";
import { HotfixRefused } from "../failures/hotfix";
import { UnreadableSqlFile } from "../failures/sql-file";
import type { HistoryState } from "../records/history-state";
import type { Run } from "../run";
import type { PreflightCheck } from "./preflight/context";
import { directives } from "./preflight/directives";
import { permissions } from "./preflight/permissions";
import { statements } from "./preflight/statements";
import { transactions } from "./preflight/transactions";

/** The checks of a release that look at a migration's text and rights. */
const CHECKS: readonly PreflightCheck[] = [transactions, statements, directives, permissions];

/**
 * Refuses a hotfix that could not be a migration of the history, before anything of it is run. A secret would stay in
 * every copy of the repository; the review reports it in migrations, where nothing is run at once.
 * @throws UnreadableSqlFile if it has no statement; HotfixRefused with every reason
 */
export async function refuseHotfix(run: Run, history: HistoryState, hotfix: Migration): Promise<void> {
  const plan = run.plans.of(hotfix);
  if (plan.statements.length === 0 && !plan.error) throw new UnreadableSqlFile(`${hotfix.name} has no statement.`);
  if (!plan.error && !plan.statements.some((each) => traceOf(nodeOf(each)) === "object"))
    throw new HotfixRefused(hotfix.name, ["It only changes rows, which is no drift: run it without --hotfix."]);
  const context = {
    run,
    migrations: [...history.applied, hotfix],
    historyState: { ...history, pending: [hotfix] },
    tableExists: true,
    planned: plannedEffects(run.plans, history.applied, [hotfix], run.table.schema),
    hotfixes: [],
  };
  const reasons = secretReasons(plan);
  for (const check of CHECKS) {
    const { findings, mild } = await check.run(context);
    if (!mild) reasons.push(...findings.flatMap(({ what, evidence }) => (evidence.length > 0 ? evidence : what)));
  }
  if (reasons.length > 0) throw new HotfixRefused(hotfix.name, reasons);
}

function secretReasons({ statements: all }: MigrationPlan): string[] {
  return all.flatMap(({ line, text }) =>
    secretsIn(text).map(
      ({ what }) => `  line ${line}: it holds ${what} in plain text, and would bring it into the repository`,
    ),
  );
}
