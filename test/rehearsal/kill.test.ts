import { expect, test } from "vitest";
import { killRehearsal } from "./kill-rehearsal";

/** The long form is `npm run kill-rehearsal -- 30`. */
const ROUNDS = 3;

test("a rehearsal that is killed with kill -9 at a random instant leaves nothing behind prune or the next one", {
  timeout: 480_000,
}, async () => {
  const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
  const done = await killRehearsal({ rounds: ROUNDS, seed });
  expect(done).toHaveLength(ROUNDS);
  expect(done.filter(({ after }) => after !== undefined).length, `seed ${seed}`).toBeGreaterThan(0);
});
