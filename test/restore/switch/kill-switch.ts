import { randomNumbers } from "../../support/random-numbers";
import { BAD, GOOD, SwitchStage } from "./stage";

/** One round: which way the app was moved, and when the command was killed. */
interface Killed {
  readonly round: number;
  readonly way: "switch" | "switch-back";
  /** Milliseconds after its start at which it was killed; undefined: it was quicker. */
  readonly after: number | undefined;
}

interface KillOptions {
  readonly rounds: number;
  readonly seed: number;
  onRound(killed: Killed): void;
}

/**
 * Kills `restore switch` and `restore switch-back` with SIGKILL at random instants, with the release that they have
 * started, and runs each again. It checks that the app serves the version of the database that it was moved to, that the
 * rows of the source are the same all the time, and that nothing is left over.
 *
 * @throws Error at the first round that did not end well, with its seed and instant
 */
async function killSwitch({ rounds, seed, onRound }: KillOptions): Promise<void> {
  const random = randomNumbers(seed);
  const stage = new SwitchStage();
  // The milliseconds that an undisturbed command takes. Each one that was not killed measures them again.
  const duration = { switch: 25_000, "switch-back": 25_000 };
  try {
    await stage.build();
    const rows = await stage.rows();
    for (let round = 0; round < rounds; round++) {
      const way = round % 2 === 0 ? "switch" : "switch-back";
      const words = way === "switch" ? [way, stage.copy, "--accept-loss"] : [way, "--accept-loss"];
      const instant = Math.floor(random() * duration[way]);
      const where = `round ${round} (seed ${seed}, ${way}, killed after ${instant} ms)`;
      const began = Date.now();
      const killed = await killAfter(stage, words, instant);
      if (!killed) duration[way] = Date.now() - began;
      await goOn(stage, way, words, where);
      await check(stage, way, rows, where);
      onRound({ round, way, after: killed ? instant : undefined });
    }
  } finally {
    await stage.cli.end();
  }
}

/** Starts the command and kills it with all that it has started; false if it was quicker. */
async function killAfter(stage: SwitchStage, words: string[], instant: number): Promise<boolean> {
  const child = stage.startRestore(...words);
  const ended = stage.cli.finish(child);
  let timer: NodeJS.Timeout | undefined;
  const killed = await Promise.race([
    ended.then(() => false),
    new Promise<boolean>((passed) => {
      timer = setTimeout(() => passed(true), instant);
    }),
  ]);
  clearTimeout(timer);
  if (killed) process.kill(-child.pid!, "SIGKILL");
  await ended;
  return killed;
}

/** Runs the command again. A way back that was killed after its last step has nothing more to do, and says so. */
async function goOn(stage: SwitchStage, way: Killed["way"], words: string[], where: string): Promise<void> {
  const again = await stage.restore(...words);
  const done = way === "switch-back" && again.stderr.includes("was not moved to a copy");
  if (again.status !== 0 && !done)
    throw new Error(`${where}: it ended with ${again.status}: ${again.stdout}${again.stderr}`);
}

async function check(stage: SwitchStage, way: Killed["way"], rows: string, where: string): Promise<void> {
  const wrong = (what: string) => new Error(`${where}: ${what}`);
  const { version, schemaVersion } = await stage.health();
  const wanted = way === "switch" ? ["1.0.0", GOOD] : ["1.1.0", BAD];
  if (version !== wanted[0] || schemaVersion !== wanted[1]) throw wrong(`${version} serves ${schemaVersion}`);
  if ((await stage.rows()) !== rows) throw wrong("the rows of the source have changed");
  if (stage.replicas() !== 2) throw wrong(`the app has ${stage.replicas()} pods`);
  if (stage.has("ConfigMap", "notes-switch") !== (way === "switch")) throw wrong("the record is wrong");
  const left = stage.leftJobs();
  if (left.length > 0) throw wrong(`left over: ${left.join(", ")}`);
}

/** `npm run kill-switch -- ROUNDS [SEED]` */
async function main(): Promise<void> {
  const [rounds = "10", seed = String(Date.now() % 100_000)] = process.argv.slice(2);
  console.log(`seed ${seed}`);
  await killSwitch({
    rounds: Number(rounds),
    seed: Number(seed),
    onRound: ({ round, way, after }) =>
      console.log(
        `${round + 1}. ${way}: ${after === undefined ? "not killed" : `killed after ${after} ms`}, ends well`,
      ),
  });
}

void main();
