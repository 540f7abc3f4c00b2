import type { Node } from "libpg-query";
import type { Migration } from "../../migrations/history/history";
import { type Catalog, describeExpectation, type Expectation, isMet } from "../../migrations/schema/expectation";
import { expectationsOf } from "../../migrations/statements/statements";
import { latestCatalog } from "../records/release-records";
import type { Run } from "../run";
import type { Verdict } from "./diagnosis-by-states";

/** A migration whose definitions can't be compared. */
export interface Unreplayed {
  readonly nodes: readonly Node[];
  /** The other migrations, which are applied. */
  readonly before: readonly Migration[];
  /** The error that the tool that ran the migration recorded; empty if there is none. */
  readonly said: string;
}

/**
 * Decides from the names of what statements create and drop whether they were run. A statement is not applied if one of
 * these objects is not as the statement leaves it. It is applied only if the objects were different before, according
 * to the record of the last release or, without such a record, to whether an earlier migration mentions the name.
 * Otherwise its state is unknown.
 */
export async function byNames(run: Run, { nodes, before, said }: Unreplayed, actual: Catalog): Promise<Verdict[]> {
  const recorded = await latestCatalog(run.records, before.at(-1)?.name ?? "", before.length);
  const history = before.map(({ sql }) => sql.toLowerCase()).join("\n");
  // If the statement failed because something exists or is missing, it did not create or drop that itself.
  const collided = /already exists|does not exist/.test(said);
  const isChanged = (expectation: Expectation) =>
    recorded
      ? recorded[expectation.key] !== actual[expectation.key]
      : !collided && isMentioned(expectation.key, history) !== expectation.present;
  const expected = nodes.map((node) => expectationsOf(node, run.table.schema));
  return expected.map((list, index): Verdict => {
    // What a later statement of the same migration changes again is no evidence for this one.
    const later = new Set(expected.slice(index + 1).flatMap((each) => each.map(({ key }) => key)));
    const checkable = list.filter(({ key }) => !later.has(key));
    const [first] = checkable;
    if (!first)
      return { state: "unknown", evidence: "the catalog doesn't tell", untold: definesSomething(nodes[index]!) };
    const broken = checkable.find((each) => !isMet(each, actual));
    if (broken) return { state: "not applied", evidence: describeExpectation(broken, actual), untold: false };
    const node = nodes[index]!;
    const lenient = "DropStmt" in node && node.DropStmt.missing_ok === true && !recorded;
    const unsure = checkable.find((each) => lenient || !isChanged(each));
    if (!unsure) return { state: "applied", evidence: describeExpectation(first, actual), untold: false };
    return {
      state: "unknown",
      evidence: `${describeExpectation(unsure, actual)}, as it may have been before`,
      untold: true,
    };
  });
}

/** Returns whether the history contains the name of the object or, for a part of a table, both names. */
function isMentioned(key: string, history: string): boolean {
  const names = key.slice(key.indexOf(".") + 1).split(".");
  return names.every((name) => history.includes(name.toLowerCase()));
}

function definesSomething(node: Node): boolean {
  return !/^(Insert|Update|Delete|Merge|Select|Copy|Truncate|Transaction|VariableSet|Lock|Vacuum)/.test(
    Object.keys(node)[0] ?? "",
  );
}
