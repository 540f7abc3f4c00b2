/**
 * `npm run kill-matrix [ROUNDS] [SEED]`: ends the migrator in every way at random instants, lets it run again, and compares with an
 * undisturbed run. 1,000 rounds by default, about 1 s each on one of two workers.
 */
import { startPostgres } from "../../support/postgres";
import { randomNumbers } from "../../support/random-numbers";
import { historyOf, migrate } from "../support";
import { KILL_HISTORY, KILLS, playRound, stateOf } from "./kills";

const rounds = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const workers = 2;

async function main(): Promise<void> {
  console.log(`${rounds} rounds, seed ${seed}`);
  const random = randomNumbers(seed);
  const directory = historyOf(KILL_HISTORY);
  const counts = new Map<string, number>();
  let next = 0;
  let late = 0;
  let failed = 0;
  await Promise.all(
    Array.from({ length: Math.min(workers, rounds) }, async () => {
      const postgres = await startPostgres();
      try {
        const url = await postgres.createDatabase();
        const began = Date.now();
        const undisturbed = await migrate(url, directory, "--lock-timeout", "2s");
        if (undisturbed.exit !== 0) throw new Error(undisturbed.output);
        const length = Date.now() - began;
        const expected = await stateOf(url);
        while (next < rounds) {
          const number = next++;
          const kill = KILLS[Math.floor(random() * KILLS.length)]!;
          const round = await playRound(postgres, directory, { kill, after: random() * length * 1.05, expected });
          counts.set(kill, (counts.get(kill) ?? 0) + 1);
          if (round.early) late++;
          if (round.problem !== undefined) {
            failed++;
            console.log(`round ${number}: ${kill} after ${Math.round(round.after)} ms: ${round.problem}`);
          }
          if ((number + 1) % 50 === 0) console.log(`${number + 1} rounds, ${failed} wrong`);
        }
      } finally {
        await postgres.stop();
      }
    }),
  );
  const each = [...counts].map(([kill, count]) => `${kill} ${count}`).join(", ");
  console.log(`${rounds} kills (${each}), ${late} of them after the end of the run; ${failed} ended differently.`);
  process.exitCode = failed === 0 ? 0 : 1;
}

// So that the servers are stopped too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
void main();
