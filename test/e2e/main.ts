import { onStop } from "../conformance/stop";
import { missing } from "./requirements";
import type { Scenario } from "./scenario";
import { scenarios } from "./scenarios";
import { World } from "./world";

/** What was asked for could not be run: neither a success nor a failure. */
const SKIPPED = 77;

/**
 * `npm run e2e [-- --only WORD]…`: releases on the cluster that KUBECONFIG names, with the Pulumi CLI, its own kubernetes
 * and command plugins and the local RDS. 0: all as it must be; 1: not; 77: something is missing, nothing was run. A signal
 * ends it with 128 and its number, after everything that was started is gone.
 */
async function main(argv: string[]): Promise<number> {
  const lacks = await missing();
  if (lacks.length > 0) {
    console.log(["SKIPPED: nothing was tested. Missing:", ...lacks.map((each) => `  - ${each}`)].join("\n"));
    return SKIPPED;
  }
  const chosen = choose(argv);
  const stop = onStop((text) => console.log(text));
  const world = await World.open(process.env);
  stop.signal.addEventListener("abort", () => world.stop());
  // A scenario may wait for something that doesn't come any more once the world has stopped.
  const interrupted = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
  });
  interrupted.catch(() => undefined);
  let wrong = 0;
  let played = 0;
  let skipped = 0;
  try {
    for (const scenario of chosen) {
      if (stop.signal.aborted) break;
      if (scenario.needs && !process.env[scenario.needs]) {
        console.log(`skipped ${scenario.name}: ${scenario.needs} is not set (a command)`);
        skipped += 1;
        continue;
      }
      played += 1;
      if (!(await tell(scenario, world, interrupted))) wrong += 1;
    }
  } finally {
    await world.close().catch((error: Error) => {
      wrong += 1;
      console.log(`FAILED  to remove namespace ${world.namespace}: ${error.message}`);
    });
  }
  console.log(
    `\n${played} scenarios on the cluster: ${played - wrong} as they must be, ${wrong} not, ${skipped} skipped.`,
  );
  return stop.status() ?? (wrong > 0 ? 1 : 0);
}

/**
 * Plays a scenario.
 * @param interrupted is rejected when somebody asked the run to stop
 * @returns false when it is not as it must be
 */
async function tell({ name, play }: Scenario, world: World, interrupted: Promise<never>): Promise<boolean> {
  const begun = Date.now();
  const restore = world.remember();
  const seconds = () => `(${((Date.now() - begun) / 1000).toFixed(0)} s)`;
  let stopped = false;
  interrupted.catch(() => {
    stopped = true;
  });
  try {
    const measured = await Promise.race([play(world), interrupted]);
    console.log(`ok      ${name}${measured ? `: ${measured}` : ""} ${seconds()}`);
    return true;
  } catch (error) {
    // The settings that it has made are no business of the scenarios after it.
    restore();
    if (stopped) console.log(`stopped ${name}`);
    else console.log(`FAILED  ${name} ${seconds()}\n${(error as Error).message.replace(/^/gm, "          ")}`);
    return false;
  }
}

/** The scenarios that have one of the words of `--only` in their names; they build on the first release, which is always played. */
function choose(argv: string[]): Scenario[] {
  const words = argv.flatMap((word, index) => (argv[index - 1] === "--only" ? [word] : []));
  if (words.length === 0) return scenarios;
  const found = scenarios.filter(({ name }) => words.some((word) => name.includes(word)));
  if (found.length === 0)
    throw new Error(`No scenario has ${words.map((word) => `"${word}"`).join(" or ")} in its name`);
  return scenarios.filter((each) => found.includes(each) || each.name.startsWith("first release"));
}

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (status) => process.exit(status),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
}
