import { expect, test } from "vitest";
import { HistoryError } from "../../../migrations/history/history-error";
import { releasedUntil } from "../../../migrations/history/until";

const folder = ["1_init", "2_colour", "3_drop"].map((name) => ({ name, sql: "", checksum: "" }));
const split = (until?: string) => releasedUntil("prisma/migrations", folder, until);

test.each([
  [undefined, 3, []],
  ["3_drop", 3, []],
  ["1_init", 1, ["2_colour", "3_drop"]],
])("until %s releases %i migrations and holds back the later ones", (until, count, heldBack) => {
  expect(split(until)).toEqual({ migrations: folder.slice(0, count), heldBack });
});

test("a name that the folder doesn't have is refused, with the setting to correct", () => {
  expect(() => split("2_color")).toThrow(HistoryError);
  expect(() => split("2_color")).toThrow(
    /prisma\/migrations has no migration 2_color, which migrations\.until names, and whose last one is 3_drop; correct the setting/,
  );
});
