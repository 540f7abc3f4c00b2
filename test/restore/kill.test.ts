import { afterAll, expect, test } from "vitest";
import { removeFolders } from "../by-hand/project";
import { killRestore } from "./kill-restore";

/** The long form is `npm run kill-restore -- 50`. */
const ROUNDS = 2;

afterAll(removeFolders);

test("restore, killed with kill -9 at a random instant and run again, ends with one copy and nothing left over", {
  timeout: 480_000,
}, async () => {
  const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
  const done = await killRestore({ rounds: ROUNDS, seed });
  expect(done).toHaveLength(ROUNDS);
  expect(done.filter(({ after }) => after !== undefined).length, `seed ${seed}`).toBeGreaterThan(0);
});
