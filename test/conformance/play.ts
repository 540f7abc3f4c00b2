import { type Observation, observe } from "./observe";
import { orderProblems } from "./order";
import type { Ran } from "./run-operation";
import { type Scenario, shortSteps } from "./scenario";
import type { Stage } from "./stage";

/** One scenario as one engine played it. */
export interface Played {
  observed: Observation;
  /** What was not as the scenario says. */
  problems: string[];
  milliseconds: number;
}

export async function play(scenario: Scenario, stage: Stage): Promise<Played> {
  await scenario.before?.(stage);
  const begun = performance.now();
  const ran = await stage.run(scenario.command);
  const milliseconds = performance.now() - begun;
  const observed = await observe(stage, ran, scenario.command.program ?? "release");
  return { observed, problems: judge(scenario, ran, observed), milliseconds };
}

function judge({ ok, steps, also, command }: Scenario, ran: Ran, observed: Observation): string[] {
  const problems = orderProblems(ran.steps);
  if (ran.thrown !== undefined) problems.push(`refused to begin: ${ran.thrown}`);
  if (observed.ok !== ok) problems.push(`it ended ${observed.ok ? "well" : "badly"}, and should not have`);
  const took = shortSteps(ran);
  const expected = steps && [...steps].sort();
  if (expected && took.join() !== expected.join()) {
    problems.push(`steps: ${took.join(", ") || "none"}\nexpected: ${expected.join(", ") || "none"}`);
  }
  const more = also?.(observed);
  if (more) problems.push(more);
  if (command.interruption && ran.diagnostics.some((line) => line.includes("never came"))) {
    problems.push("the event that was to be interrupted never came");
  }
  if (problems.length > 0) problems.push(...explain(ran));
  return problems;
}

/** What a person who has to find the reason needs to see. */
function explain({ result, diagnostics, steps }: Ran): string[] {
  const failed = steps.filter(({ status }) => status === "failed").map(({ urn, error }) => `${urn}: ${error}`);
  return [...(result?.errors ?? []), ...failed, ...diagnostics.slice(-5)].map((text) => `said: ${text.slice(0, 1200)}`);
}
