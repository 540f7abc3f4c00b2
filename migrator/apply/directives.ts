import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { oneLine } from "../../text/printable";
import { UnfollowedDirective } from "../failures/statement";
import type { Run } from "../run";
import { fileOf, titleOf } from "./names";
import { plannedEffects } from "./planned-effects";

/**
 * Checks every directive of the pending migrations before the first of them is applied.
 * @throws UnfollowedDirective for the first directive that can't be followed
 */
export async function checkDirectives(
  { plans, table }: Pick<Run, "plans" | "table">,
  applied: readonly Migration[],
  pending: readonly Migration[],
): Promise<void> {
  // Most releases have no directives, and their plans are made while the server works.
  if (!pending.some(({ sql }) => /release/i.test(sql))) return;
  await loadParser();
  const [bad] = plannedEffects(plans, applied, pending, table.schema).badDirectives.filter(({ certain }) => certain);
  if (!bad) return;
  const { migration, line, problem } = bad;
  // The problem quotes the directive. Its source line is not shown, because comments are masked in messages.
  const work = { title: titleOf(migration), file: fileOf(migration) };
  throw new UnfollowedDirective(work, problem, `  at ${oneLine(work.file)}:${line}`);
}
