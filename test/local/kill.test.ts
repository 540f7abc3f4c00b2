import { describe, expect, test } from "vitest";
import { killUp } from "./kill-up";

/** The long form is `npm run kill-up -- 50`. */
const ROUNDS = 4;

describe("up, killed with kill -9 at a random instant", () => {
  test("and run again completes the release: each migration once, nothing left behind after down", {
    timeout: 480_000,
  }, async () => {
    const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
    const done = await killUp({ rounds: ROUNDS, seed, freshEvery: 3 });
    expect(done).toHaveLength(ROUNDS);
    expect(done.filter(({ after }) => after !== undefined).length, `seed ${seed}`).toBeGreaterThan(0);
  });
});
