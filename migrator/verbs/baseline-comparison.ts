import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import type { Catalog } from "../../migrations/schema/expectation";
import { describeExpectation, isMet } from "../../migrations/schema/expectation";
import { maskSql } from "../../migrations/sql/mask-sql";
import { counted } from "../../text/counted";
import { plannedEffects } from "../apply/planned-effects";
import { readCatalog } from "../checks/catalog";
import { readDefinitions } from "../checks/definitions";
import { type Difference, differences } from "../checks/drift";
import { onScratch } from "../checks/scratch";
import type { Run } from "../run";

/** The result of comparing a database with what migrations create. */
export interface Comparison {
  /** The ways in which the database contradicts the migrations, one line each. */
  readonly contradictions: readonly string[];
  /** Further lines for the log: how the database was compared, what is unknown, and what it has in addition. */
  readonly remarks: readonly string[];
}

const SHOWN = 20;

/** The properties that an operator may change on a live database without contradicting its history. */
const TUNABLE = /^(options of|version of|event trigger|NOT NULL constraint) /;

/**
 * Compares the whole live catalog with what these migrations create on a scratch database. If there can be no scratch
 * database, it compares the catalog with what their text promises, and a remark names what that leaves out.
 */
export async function compareWithHistory(run: Run, migrations: readonly Migration[]): Promise<Comparison> {
  const made = await onScratch(run, migrations, async (scratch) => ({ catalog: await readDefinitions(scratch) }));
  if ("unknown" in made) return compareWithPromises(run, migrations, made.unknown);
  const found = differences(made.catalog, await readDefinitions(run.session));
  const contradicting = found.filter(({ key, expected }) => expected !== undefined && !TUNABLE.test(key));
  const others = found.filter(({ key, expected }) => expected !== undefined && TUNABLE.test(key));
  const additional = found.filter(({ expected }) => expected === undefined);
  const count = Object.keys(made.catalog).length;
  return {
    contradictions: contradicting.map(describe),
    remarks: [
      `${count - contradicting.length} of ${counted(count, "thing")} that these migrations make are as they leave them, by their definitions. Not compared: rows, privileges, owners, comments.`,
      ...section("Set otherwise than by these migrations", others.map(describe)),
      ...section(
        "There besides what these migrations make",
        additional.map(({ key }) => key),
      ),
    ],
  };
}

async function compareWithPromises(run: Run, migrations: readonly Migration[], reason: string): Promise<Comparison> {
  await loadParser();
  const { promises } = plannedEffects(run.plans, [], migrations, run.table.schema);
  const catalog: Catalog = await readCatalog(run.session);
  const unmet = promises.filter((each) => !isMet(each, catalog));
  const broken = unmet.filter(({ uncertain }) => uncertain === undefined);
  const unknown = unmet.filter(({ uncertain }) => uncertain !== undefined);
  return {
    contradictions: broken.map((each) => describeExpectation(each, catalog)),
    remarks: [
      `${promises.length - unmet.length} of ${counted(promises.length, "thing")} that these migrations name are there.`,
      `Not compared: the definitions of what is there, and what a DO block or a function makes (${reason}).`,
      ...section(
        "Unknown",
        unknown.map((each) => `${describeExpectation(each, catalog)}; ${each.uncertain} may have taken it back`),
      ),
    ],
  };
}

function describe({ key, expected, actual }: Difference): string {
  if (actual === undefined) return `there is no ${key}`;
  return `${key} is ${short(actual)} (the migrations make it ${short(expected ?? "")})`;
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > SHOWN ? [`  and ${lines.length - SHOWN} more`] : [];
  return [`${title}:`, ...lines.slice(0, SHOWN).map((line) => `  ${line}`), ...more];
}

function short(definition: string): string {
  const line = maskSql(definition);
  return line.length > 120 ? `${line.slice(0, 120)}…` : line || "plain";
}
