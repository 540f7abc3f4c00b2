import { shortFact } from "../drift/findings";
import type { DriftObject, Fact, Snapshot } from "../drift/object";
import { changedFacts } from "../drift/rule";

/** One property of an object that a statement changes; without a property, whether the object is there. */
interface Change {
  readonly key: string;
  readonly fact: string | undefined;
}

/**
 * What a live database has of one statement. `there`: it is as after the statement; `not there`: as before it; `other`:
 * neither, or a part of it; `open`: nothing that the statement alone has changed is left at the end.
 */
type EffectState = "there" | "not there" | "other" | "open";

/** What a live database has of one statement, with the evidence for people. */
export interface Effect {
  readonly state: EffectState;
  readonly evidence: string;
  /** True if the statement changed nothing that is compared. */
  readonly unseen: boolean;
}

/**
 * Judges each statement of several hotfixes by the objects of the live database. What a later statement changes again
 * is as the later one leaves it.
 * @param runs for each hotfix in its order, the objects before its first statement, and then after each one
 */
export function judgeEffects(runs: readonly (readonly Snapshot[])[], live: Snapshot): Effect[][] {
  const chain = runs.flat();
  let offset = 0;
  return runs.map((states) => {
    const effects = states.slice(1).map((after, index) => {
      const changes = changesBetween(states[index]!, after);
      return judge(changes, { chain, after: offset + index + 1, live });
    });
    offset += states.length;
    return effects;
  });
}

/** Every property of every object in which two databases differ. */
function changesBetween(before: Snapshot, after: Snapshot): Change[] {
  if (before === after) return [];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key): Change[] => {
    const [old, fresh] = [before.get(key), after.get(key)];
    if (old && fresh) return changedFacts(old, fresh).map((fact) => ({ key, fact }));
    const facts = Object.keys((old ?? fresh)!.facts);
    return [{ key, fact: undefined }, ...facts.map((fact) => ({ key, fact }))];
  });
}

interface Place {
  readonly chain: readonly Snapshot[];
  /** The index in the chain of the state after the statement. */
  readonly after: number;
  readonly live: Snapshot;
}

function judge(changes: readonly Change[], place: Place): Effect {
  const judged = changes.map((change) => ({ change, state: stateOf(change, place) }));
  const states = new Set(judged.map(({ state }) => state).filter((state) => state !== "open"));
  const state = states.has("other") || states.size > 1 ? "other" : ([...states][0] ?? "open");
  const telling = judged.filter((each) => each.state === state || (state === "other" && each.state !== "there"));
  const shown = telling.find((each) => each.state === "other") ?? telling[0];
  return { state, evidence: shown ? describe(shown.change, place) : "nothing", unseen: changes.length === 0 };
}

/** Statements run one after the other, so a property that is as after a later one is not as before this one. */
function stateOf(change: Change, { chain, after, live }: Place): EffectState {
  const now = valueIn(change, live);
  const places = [...chain.keys()].filter((index) => valueIn(change, chain[index]!) === now);
  if (places.length === 0) return "other";
  if (Math.min(...places) >= after) return "there";
  return Math.max(...places) < after ? "not there" : "open";
}

function valueIn({ key, fact }: Change, snapshot: Snapshot): string {
  const object = snapshot.get(key);
  return object === undefined
    ? "no object"
    : fact === undefined
      ? "object"
      : JSON.stringify(object.facts[fact] ?? null);
}

/** Says what the live database has, and what it would have at the end if that is something else. */
function describe({ key, fact }: Change, { chain, live }: Place): string {
  const [now, end] = [live.get(key), chain.at(-1)!.get(key)];
  if (now === undefined) return `there is no ${key}`;
  if (fact === undefined || end === undefined) return `there is ${key}`;
  const said = `${key} has ${fact}: ${shortFact(factOf(now, fact))}`;
  const [is, becomes] = [valueIn({ key, fact }, live), valueIn({ key, fact }, chain.at(-1)!)];
  return is === becomes ? said : `${said}; the hotfix makes it ${shortFact(factOf(end, fact))}`;
}

function factOf({ facts }: DriftObject, fact: string): Fact {
  return facts[fact] ?? null;
}
