import type { StepEvent } from "../../local/engine/events";

/** The chain of a release, by what a step is about: everything of one link has ended before the next begins. */
const CHAIN: ((event: StepEvent) => boolean)[] = [
  isPreflight,
  ({ type }) => /^aws:rds\//.test(type),
  ({ type, name }) => type === "command:local:Command" && name.endsWith("-completed"),
  (event) => event.type.endsWith(":Job") && event.name.includes("-migrate-"),
  ({ type }) => /:(Deployment|CronJob|PodDisruptionBudget|Service)$/.test(type),
  isCommand("sizes"),
  isCommand("smoke"),
  ({ type, name }) => type.endsWith(":Job") && name.includes("-contract-"),
  isCommand("report"),
];

export function isPreflight({ type, name }: StepEvent): boolean {
  return type.endsWith(":Job") && name.includes("-preflight-");
}

function isCommand(step: string): (event: StepEvent) => boolean {
  return ({ type, name }) => type === "command:local:Command" && name.includes(`-${step}-`);
}

/** Where the steps of a run were not in the order that the chain demands; empty if all is well. */
export function orderProblems(steps: StepEvent[]): string[] {
  const began = new Map<number, number>();
  const ended = new Map<number, number>();
  const events = new Map<number, StepEvent>();
  for (const [index, event] of steps.entries()) {
    events.set(event.step, event);
    (event.status === "started" ? began : ended).set(event.step, index);
  }
  const problems: string[] = [];
  const before = (first: StepEvent, second: StepEvent) => {
    if ((ended.get(first.step) ?? Number.POSITIVE_INFINITY) > (began.get(second.step) ?? 0)) {
      problems.push(`${second.op} ${second.urn} began before ${first.op} ${first.urn} had ended`);
    }
  };
  const all = [...events.values()].filter(({ op }) => op !== "refresh");
  const destroys = all.some(({ op, type }) => op === "delete" && type.endsWith(":Deployment"));
  const link = (event: StepEvent) => CHAIN.findIndex((matches) => matches(event));
  for (const first of all) {
    for (const second of all) {
      if (first.step === second.step) continue;
      const releases = isRelease(first) && isRelease(second);
      if (releases && link(first) >= 0 && link(first) < link(second)) before(first, second);
      if (isRelease(first) && second.op === "delete") before(first, second);
      // What needs something is deleted before it, where all of a chain goes: needs count from one resource to the next.
      if (
        destroys &&
        first.op === "delete" &&
        second.op === "delete" &&
        link(second) >= 0 &&
        link(first) > link(second)
      ) {
        before(first, second);
      }
      if (first.urn === second.urn && first.op === "delete-replaced" && first.step < second.step) before(first, second);
    }
  }
  return problems;
}

function isRelease({ op }: StepEvent): boolean {
  return ["create", "update", "import", "create-replacement"].includes(op);
}
