import { rmSync } from "node:fs";
import { hasPulumi, PulumiMissing } from "../../local/plugin/pulumi-path";
import { differences } from "./compare";
import type { Engine } from "./operation";
import { type Played, play } from "./play";
import type { Scenario, Story } from "./scenario";
import { migrationsFolder, Stage } from "./stage";
import { onStop } from "./stop";
import { stories } from "./stories";

/** As in automake and others: what was asked for could not be run, which is neither a success nor a failure. */
const SKIPPED = 77;

/**
 * `npm run conformance [-- --engine embedded] [--only WORD]`: plays every story on the embedded engine and on the Pulumi
 * CLI, and compares. 0: all as expected, and alike; 1: not; 77: no CLI at hand, only the embedded half was played. A signal
 * ends it with 128 and its number, after everything that was started is gone.
 */
async function main(argv: string[]): Promise<number> {
  const only = option(argv, "--only");
  const wanted = option(argv, "--engine") ?? "both";
  const chosen = stories.filter(({ name }) => !only || name.includes(only));
  if (chosen.length === 0)
    throw new Error(`No story has "${only}" in its name: ${stories.map(({ name }) => name).join("; ")}`);
  const missing = wanted === "both" && !hasPulumi();
  const engines = enginesOf(missing ? "embedded" : wanted);
  const stop = onStop((text) => console.log(text));
  let scenarios = 0;
  let wrong = 0;
  for (const story of chosen) {
    const able = engines.filter((engine) => engine === (story.only ?? engine));
    if (able.length === 0) {
      console.log(`\n${story.name}: not played, as only ${story.only} can`);
      continue;
    }
    scenarios += story.scenarios.length;
    wrong += await tell(story, able, stop.signal);
    const stopped = stop.status();
    if (stopped !== undefined) return stopped;
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

function enginesOf(wanted: string): Engine[] {
  if (wanted === "both") return ["embedded", "pulumi"];
  if (wanted === "embedded" || wanted === "pulumi") return [wanted];
  throw new Error(`--engine is "${wanted}"; it must be both, embedded or pulumi`);
}

/** Plays a story on all engines side by side; gives how many of its scenarios were not as they must be. */
async function tell(story: Story, engines: Engine[], stopped: AbortSignal): Promise<number> {
  console.log(`\n${story.name}`);
  const migrations = migrationsFolder();
  const stages = engines.map((engine) => new Stage(engine, migrations, stopped));
  let wrong = 0;
  try {
    for (const scenario of story.scenarios) {
      const played: Played[] = [];
      for (const stage of stages) if (!stopped.aborted) played.push(await play(scenario, stage));
      if (stopped.aborted) break;
      const problems = problemsOf(scenario, engines, played);
      const times = played.map(({ milliseconds }) => `${(milliseconds / 1000).toFixed(1)} s`).join(", ");
      const verdict = problems.length > 0 ? "DIFFERS" : engines.length > 1 ? "alike" : "as told";
      console.log(`  ${verdict.padEnd(7)} ${scenario.name} (${times})`);
      for (const problem of problems) console.log(`      ${problem.replaceAll("\n", "\n      ")}`);
      if (problems.length > 0) wrong += 1;
    }
  } finally {
    for (const stage of stages) await stage.close();
    rmSync(migrations, { recursive: true, force: true });
  }
  return wrong;
}

function problemsOf({ mayDiffer = [] }: Scenario, engines: Engine[], played: Played[]): string[] {
  const own = played.flatMap(({ problems }, index) => problems.map((problem) => `${engines[index]}: ${problem}`));
  const [embedded, real] = played;
  if (!embedded || !real) return own;
  const compared = differences(embedded.observed, real.observed).filter(({ field }) => !mayDiffer.includes(field));
  return [...own, ...compared.map(({ text }) => text)];
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
