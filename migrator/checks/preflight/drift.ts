import type { Catalog } from "../../../migrations/schema/expectation";
import { counted } from "../../../text/counted";
import { nextCommand } from "../../next-command";
import { latestCatalog } from "../../records/release-records";
import { readCatalog } from "../catalog";
import { describeDifference, differences } from "../drift";
import { withHotfixes } from "../hotfix/look";
import { splitIgnored } from "../ignored-differences";
import { outsideHistory } from "../outside-history";
import { catalogOfHistory } from "../scratch";
import type { PreflightCheck } from "./context";

const SHOWN = 30;
const SHOWN_BESIDE = 10;

/**
 * Checks whether somebody changed the live schema by hand. It compares the schema with what the last release recorded
 * at its end. If nothing is recorded, or another tool has continued the history, it compares the schema with the
 * applied migrations run on a scratch database, if the role may create one.
 */
export const drift: PreflightCheck = {
  name: "drift",
  kind: "history",
  async run({ run, historyState, hotfixes }) {
    if (historyState.applied.length === 0) return { findings: [], facts: "nothing is applied yet" };
    if (historyState.unfinished.length > 0)
      return { findings: [], unknown: true, facts: "not told: a migration is unfinished" };
    // What the folder lacks, such as a hotfix that is not merged yet, would look as if it were done by hand.
    if (historyState.missing.length > 0 && !run.settings.allowDatabaseAhead)
      return { findings: [], unknown: true, facts: "not told: the folder lacks an applied migration" };
    const actual = await readCatalog(run.session);
    const recorded = await latestCatalog(run.records, historyState.applied.at(-1)!.name, historyState.applied.length);
    let expected: Catalog;
    let source = "what the last release recorded";
    if (recorded) expected = recorded;
    else {
      const scratch = await catalogOfHistory(run, historyState.applied);
      if ("unknown" in scratch)
        return { findings: [], facts: `unknown: nothing is recorded, and ${scratch.unknown}`, unknown: true };
      expected = scratch.catalog;
      source = `the ${historyState.applied.length} applied migrations on a scratch database`;
    }
    const there = withHotfixes(expected, actual, hotfixes);
    const explained = differences(expected, there).map(({ key }) => key);
    expected = there;
    const all = differences(expected, actual).filter(({ key }) => !isOthers(key, run.table.schema, expected));
    const outside = new Set(all.flatMap((each) => outsideHistory(each, expected, actual) ?? []));
    const own = all.filter((each) => outsideHistory(each, expected, actual) === undefined);
    const { found, ignored } = splitIgnored(own, { expected, actual }, run.settings.drift.ignore);
    const beside = [
      ...(explained.length === 0 ? [] : [`; made by a pending hotfix: ${listed(explained)}`]),
      ...(outside.size === 0 ? [] : [`; beside it: ${listed([...outside])}`]),
      ...(ignored.length === 0 ? [] : [`; ignored: ${listed(ignored)}`]),
    ].join("");
    if (found.length === 0) return { findings: [], facts: `as ${source}${beside}` };
    const evidence = found.slice(0, SHOWN).map((each) => `  ${describeDifference(each)}`);
    if (found.length > SHOWN) evidence.push(`  and ${found.length - SHOWN} more`);
    return {
      findings: [
        {
          what: `The live schema differs in ${counted(found.length, "thing")} from ${source}: somebody changed it by hand.`,
          evidence,
          next: `bring it into the history: ${nextCommand("adopt --name NAME", run.settings)}; or take it back by the SQL that this shows: ${nextCommand("drift", run.settings)}`,
        },
      ],
      facts: `compared with ${source}${beside}`,
    };
  },
};

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN_BESIDE ? ` and ${names.length - SHOWN_BESIDE} more` : "";
  return `${names.slice(0, SHOWN_BESIDE).join(", ")}${more}`;
}

/** Returns true for an object in a schema that this history never touched, which belongs to somebody else. */
function isOthers(key: string, schema: string, expected: Catalog): boolean {
  const of = /^[a-z ]+ ([^.]+)(\.|$)/.exec(key)?.[1];
  if (of === undefined || of === schema || key.startsWith("extension ")) return false;
  return !Object.keys(expected).some((each) => each.includes(` ${of}.`));
}
