import { setTimeout as pause } from "node:timers/promises";
import { type Act, acts, type Claim } from "./demo/acts";
import { type Load, startLoad } from "./demo/load";
import { Stage } from "./demo/stage";
import { seconds, styler } from "./progress-text";

/** The number of requests that must be answered during acts 1 to 3, counted from the first release on. */
const ENOUGH = 10_000;
/** The number of the act after which the requests are counted. */
const COUNTED = 3;

const style = styler(process.stdout);

/** `npm run demo`: five acts on this machine under load. It returns 0 when every claim of every act was true. */
async function demo(): Promise<number> {
  const stage = new Stage();
  const began = Date.now();
  let load: Load | undefined;
  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true;
  });
  const broken: string[] = [];
  try {
    for (const [index, act] of acts.entries()) {
      if (interrupted) break;
      announce(index + 1, act);
      const started = Date.now();
      const claims = await act.play(stage, load);
      if (index === 0 && claims.every(({ holds }) => holds)) load = startLoad({ url: await stage.url() });
      if (index + 1 === COUNTED) claims.push(await enough(load));
      judge(claims, Date.now() - started, load);
      broken.push(...claims.filter(({ holds }) => !holds).map(({ what }) => `act ${index + 1}: ${what}`));
      // The acts build on each other, so the demo ends after the first one that failed.
      if (broken.length > 0) break;
    }
    if (load) broken.push(...(await close(load)));
  } finally {
    process.stdout.write("\nCleaning up …\n");
    await load?.stop();
    await stage.strike();
  }
  console.log(`The demo took ${seconds(Date.now() - began)}; nothing of it is left running.`);
  if (interrupted) return 130;
  for (const claim of broken) console.log(style("red", `✗ not as told: ${claim}`));
  if (broken.length === 0) console.log(style("green", "Everything was as told."));
  return broken.length === 0 ? 0 : 1;
}

function announce(number: number, { title, story }: Act): void {
  console.log(`\n${style("bold", `Act ${number} of ${acts.length}: ${title}`)}\n${story}`);
}

function judge(claims: Claim[], milliseconds: number, load: Load | undefined): void {
  console.log();
  for (const { what, holds } of claims) console.log(`${holds ? style("green", "✓") : style("red", "✗")} ${what}`);
  const counts = load?.counts();
  const requests = counts ? `; ${counts.answered} requests so far, ${counts.failed} failed` : "";
  console.log(style("dim", `  ${seconds(milliseconds)}${requests}`));
}

/** Waits up to 120 s until the load has sent `ENOUGH` requests. */
async function enough(load: Load | undefined): Promise<Claim> {
  const end = Date.now() + 120_000;
  while (load && load.counts().answered < ENOUGH && Date.now() < end) await pause(100);
  const { answered, failed } = load?.counts() ?? { answered: 0, failed: 0 };
  return {
    what: `${answered} requests through acts 1 to ${COUNTED}, at least ${ENOUGH} wanted: ${failed} failed`,
    holds: answered >= ENOUGH && failed === 0,
  };
}

async function close(load: Load): Promise<string[]> {
  await load.stop();
  const { answered, failed } = load.counts();
  const { p99, longest } = load.latency();
  console.log(
    `\n${style("bold", "The load")}: ${answered} requests, ${failed} failed; 99 of 100 answered within ${p99} ms, the slowest after ${longest} ms.`,
  );
  for (const failure of load.failures()) console.log(`  ${failure}`);
  return failed === 0 ? [] : [`${failed} of ${answered} requests failed`];
}

demo().then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
