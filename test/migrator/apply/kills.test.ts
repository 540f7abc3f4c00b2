import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate } from "../support";
import { KILL_HISTORY, KILLS, playRound, stateOf } from "./kills";

/** The short form of `npm run kill-matrix`: each way of dying at a few instants. */
describe("a run that is ended at any instant", () => {
  let postgres: TestPostgres;
  let directory: string;
  let expected: string;
  let length: number;
  beforeAll(async () => {
    postgres = await startPostgres();
    directory = historyOf(KILL_HISTORY);
    const url = await postgres.createDatabase();
    const began = Date.now();
    expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
    length = Date.now() - began;
    expected = await stateOf(url);
  });
  afterAll(() => postgres.stop());

  test.each(KILLS)("by %s is taken up by the next as if nothing had been", async (kill) => {
    for (const part of [0.35, 0.75]) {
      const round = await playRound(postgres, directory, { kill, after: length * part, expected });
      expect(round.problem).toBeUndefined();
    }
  });
});
