import { expect, test } from "vitest";
import { staleFiles } from "../../docs/generate";

test("what the documentation takes from the code is up to date (npm run docs writes it)", async () => {
  expect((await staleFiles()).map(([path]) => path)).toEqual([]);
});
