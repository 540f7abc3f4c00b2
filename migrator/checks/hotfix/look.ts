import type { Migration } from "../../../migrations/history/history";
import { loadParser, type MigrationPlan } from "../../../migrations/history/plan";
import type { Catalog } from "../../../migrations/schema/expectation";
import { maskSql } from "../../../migrations/sql/mask-sql";
import { nodeOf } from "../../../migrations/sql/parse";
import { traceOf } from "../../../migrations/statements/statements";
import type { HistoryState } from "../../records/history-state";
import type { Run } from "../../run";
import { readCatalog } from "../catalog";
import { byNames } from "../diagnosis-by-names";
import { readObjects } from "../drift/read-objects";
import type { Unknown } from "../scratch";
import { type Effect, judgeEffects } from "./judge";
import { type HotfixStates, hotfixStates } from "./states";

/** What a live database has of one statement of a hotfix. */
interface StatementLook {
  readonly line: number;
  readonly text: string;
  /** `unseen`: the catalog doesn't show whether it was run. `passing`: it doesn't matter whether it was run. */
  readonly state: "there" | "not there" | "other" | "unseen" | "passing";
  readonly evidence: string;
}

/**
 * What the release does with a hotfix. `record`: everything that it makes is there. `run`: nothing of it is there.
 * `part`: a part of it is there, or something else. `unseen`: what is seen of it is there, and the rest can't be seen.
 * `names`: there are objects of these names, and they can't be compared.
 */
type HotfixVerdict = "record" | "run" | "part" | "unseen" | "names";

/** What a live database has of a pending hotfix. */
export interface HotfixLook {
  readonly migration: Migration;
  readonly verdict: HotfixVerdict;
  readonly statements: readonly StatementLook[];
  /** The reason why definitions could not be compared; undefined: they were. */
  readonly namesOnly?: string;
  /** See {@link HotfixStates.entries}; empty if definitions could not be compared. */
  readonly entries: HotfixStates["entries"];
}

/**
 * Looks at what the live database has of each pending hotfix (`-- release: hotfix`). The objects that the statements of
 * the hotfix make on a scratch database, at its point of the history, are compared with the live ones. Where there can
 * be no scratch database, names are all there is. A hotfix that this program has begun is continued, and not looked at.
 */
export async function lookAtHotfixes(run: Run, history: HistoryState): Promise<HotfixLook[]> {
  const { applied, pending } = history;
  const begun = new Set(history.unfinished.map(({ migrationName }) => migrationName));
  const candidates = pending.filter(({ name, sql }) => /hotfix/i.test(sql) && !begun.has(name));
  // A database without applied migrations has nothing of them.
  if (applied.length === 0 || candidates.length === 0) return [];
  await loadParser();
  const hotfixes = candidates.filter((migration) => isLookedAt(run.plans.of(migration)));
  if (hotfixes.length === 0) return [];
  const states = await hotfixStates(run, history, hotfixes).catch(unknownIfRefused);
  const known = hotfixes.map((migration) => ("unknown" in states ? states : states.get(migration)!));
  const compared = known.filter((each): each is HotfixStates => !("unknown" in each));
  const live = compared.length > 0 ? await readObjects(run.session) : new Map();
  const effects = judgeEffects(
    compared.map(({ objects }) => objects),
    live,
  );
  const looks: HotfixLook[] = [];
  for (const [index, migration] of hotfixes.entries()) {
    const each = known[index]!;
    const look = { migration, plan: run.plans.of(migration) };
    looks.push(
      "unknown" in each
        ? await lookByNames(run, applied, look, each)
        : lookByObjects(look, each.entries, effects[compared.indexOf(each)]!),
    );
  }
  return looks;
}

/** Directives that can't be followed are reported by the check `directives`. */
function isLookedAt({ hotfix, badDirectives, error }: MigrationPlan): boolean {
  return hotfix && error === undefined && !badDirectives.some(({ certain }) => certain);
}

/** Takes the refusal of a server to make a scratch database as a reason. Any other error ends the run. */
function unknownIfRefused(error: Error & { code?: string }): Unknown {
  if (error.code === undefined || /^(57P|08)/.test(error.code)) throw error;
  return { unknown: `there is no scratch database: ${error.message}` };
}

/** A hotfix with its plan. */
interface Planned {
  readonly migration: Migration;
  readonly plan: MigrationPlan;
}

function lookByObjects(
  { migration, plan }: Planned,
  entries: HotfixLook["entries"],
  effects: readonly Effect[],
): HotfixLook {
  const statements = plan.statements.map(({ line, text }, index): StatementLook => {
    const { state, evidence, unseen } = effects[index]!;
    const shown = { line, text: shortText(text) };
    if (state !== "open") return { ...shown, state, evidence };
    if (!unseen) return { ...shown, state: "passing", evidence: "later statements take back what it does" };
    const node = nodeOf({ text });
    const harmless = traceOf(node) === "nothing" || isConditional(node);
    return harmless
      ? { ...shown, state: "passing", evidence: "it changes no object here" }
      : { ...shown, state: "unseen", evidence: "the catalog doesn't show whether it was run" };
  });
  return { migration, entries, statements, verdict: verdictOf(statements) };
}

/** Returns true for IF EXISTS and IF NOT EXISTS, with which a statement may change nothing. */
function isConditional(node: object): boolean {
  return /"(missing_ok|if_not_exists)":true/.test(JSON.stringify(node));
}

function verdictOf(statements: readonly StatementLook[]): HotfixVerdict {
  const states = new Set(statements.map(({ state }) => state));
  if (states.has("other") || (states.has("there") && states.has("not there"))) return "part";
  if (states.has("not there")) return "run";
  if (states.has("unseen")) return "unseen";
  return states.has("there") ? "record" : "run";
}

async function lookByNames(
  run: Run,
  before: readonly Migration[],
  { migration, plan }: Planned,
  { unknown }: Unknown,
): Promise<HotfixLook> {
  const nodes = plan.statements.map((statement) => nodeOf(statement));
  const verdicts = await byNames(run, { nodes, before, said: "" }, await readCatalog(run.session));
  const states = { applied: "other", "not applied": "not there", unknown: "unseen" } as const;
  const statements = plan.statements.map(({ line, text }, index): StatementLook => {
    const { state, evidence } = verdicts[index]!;
    return { line, text: shortText(text), state: states[state], evidence };
  });
  const verdict = statements.some(({ state }) => state === "other") ? "names" : "run";
  return { migration, verdict, statements, namesOnly: unknown, entries: new Map() };
}

function shortText(sql: string): string {
  return maskSql(sql).slice(0, 70);
}

/** Returns the hotfixes that a release would record without running them. */
export function recordable(looks: readonly HotfixLook[]): Migration[] {
  return looks.filter(({ verdict }) => verdict === "record").map(({ migration }) => migration);
}

/**
 * Adds to the expected catalog what pending hotfixes make, where the live database has it as they make it: that is no
 * drift.
 */
export function withHotfixes(expected: Catalog, actual: Catalog, looks: readonly HotfixLook[]): Catalog {
  const explained: Catalog = { ...expected };
  for (const [key, value] of looks.flatMap(({ entries }) => [...entries]))
    if (actual[key] === value) {
      if (value === undefined) delete explained[key];
      else explained[key] = value;
    }
  return explained;
}
