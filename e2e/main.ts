import { missing } from "./requirements";
import { scenarios } from "./scenarios";
import { World } from "./world";

/** What was asked for could not be run: neither a success nor a failure. */
const SKIPPED = 77;

/**
 * `npm run e2e [-- --only WORD]`: releases on the cluster that KUBECONFIG names, with the Pulumi CLI, its own kubernetes
 * plugin and the local RDS. 0: all as it must be; 1: not; 77: something is missing, nothing was run.
 */
async function main(argv: string[]): Promise<number> {
  const lacks = await missing();
  if (lacks.length > 0) {
    console.log(["SKIPPED: nothing was tested. Missing:", ...lacks.map((each) => `  - ${each}`)].join("\n"));
    return SKIPPED;
  }
  const only = argv.includes("--only") ? argv[argv.indexOf("--only") + 1] : undefined;
  const world = await World.open(process.env);
  let wrong = 0;
  let skipped = 0;
  let played = 0;
  try {
    for (const { name, play, needs } of scenarios) {
      if (only && !name.includes(only)) continue;
      if (needs && !process.env[needs]) {
        console.log(`skipped ${name}: ${needs} is not set (a command)`);
        skipped += 1;
        continue;
      }
      const begun = Date.now();
      played += 1;
      try {
        const measured = await play(world);
        console.log(
          `ok      ${name}${measured ? `: ${measured}` : ""} (${((Date.now() - begun) / 1000).toFixed(0)} s)`,
        );
      } catch (error) {
        wrong += 1;
        console.log(`FAILED  ${name}\n${(error as Error).message.replace(/^/gm, "          ")}`);
      }
    }
  } finally {
    await world.close();
  }
  console.log(
    `\n${played} scenarios on the cluster: ${played - wrong} as they must be, ${wrong} not, ${skipped} skipped.`,
  );
  return wrong > 0 ? 1 : 0;
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
