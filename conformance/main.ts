import { hasPulumi, PulumiMissing } from "../local/plugin/pulumi-path";
import { differences } from "./compare";
import type { Observation } from "./observe";
import type { Engine } from "./operation";
import { type Played, play } from "./play";
import { stories } from "./stories";

/** As in automake and others: what was asked for could not be run, which is neither a success nor a failure. */
const SKIPPED = 77;

/**
 * `npm run conformance [-- --engine embedded] [--only WORD]`: plays every story on the embedded engine and on the Pulumi
 * CLI, and compares. 0: all as expected, and alike; 1: not; 77: no CLI at hand, only the embedded half was played.
 */
async function main(argv: string[]): Promise<number> {
  const only = option(argv, "--only");
  const wanted = option(argv, "--engine") ?? "both";
  const chosen = stories.filter(({ name }) => !only || name.includes(only));
  if (chosen.length === 0)
    throw new Error(`No story has "${only}" in its name: ${stories.map(({ name }) => name).join("; ")}`);
  const missing = wanted === "both" && !hasPulumi();
  const engines: Engine[] =
    wanted === "both" && !missing ? ["embedded", "pulumi"] : [wanted === "pulumi" ? "pulumi" : "embedded"];
  let scenarios = 0;
  let wrong = 0;
  for (const story of chosen) {
    console.log(`\n${story.name}`);
    const results = new Map<Engine, Played[]>();
    for (const engine of engines) results.set(engine, await play(story, engine));
    for (const [index, scenario] of story.scenarios.entries()) {
      scenarios += 1;
      const problems = engines.flatMap((engine) =>
        (results.get(engine)?.[index]?.problems ?? ["was not reached"]).map((problem) => `${engine}: ${problem}`),
      );
      const [embedded, real] = ["embedded", "pulumi"].map((name) => results.get(name as Engine)?.[index]?.observed);
      if (embedded && real) problems.push(...compared(embedded, real, scenario.mayDiffer));
      const times = engines.map(
        (engine) => `${((results.get(engine)?.[index]?.milliseconds ?? 0) / 1000).toFixed(1)} s`,
      );
      console.log(`  ${problems.length === 0 ? "alike  " : "DIFFERS"} ${scenario.name} (${times.join(", ")})`);
      for (const problem of problems) console.log(`      ${problem.replaceAll("\n", "\n      ")}`);
      if (problems.length > 0) wrong += 1;
    }
  }
  console.log(
    `\n${scenarios} scenarios on ${engines.join(" and ")}: ${scenarios - wrong} as they must be, ${wrong} not.`,
  );
  if (wrong > 0) return 1;
  if (!missing) return 0;
  console.log(
    `SKIPPED: nothing was compared. ${new PulumiMissing("pulumi").message.split(". ")[0]}. ` +
      "Install the Pulumi CLI (https://www.pulumi.com/docs/install/; it needs no account) and run this again, " +
      "or play the embedded half alone: npm run conformance -- --engine embedded",
  );
  return SKIPPED;
}

function compared(embedded: Observation, real: Observation, mayDiffer: (keyof Observation)[] = []): string[] {
  return differences(embedded, real)
    .filter(({ field }) => !mayDiffer.includes(field))
    .map(({ text }) => text);
}

function option(argv: string[], name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = status;
    },
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
