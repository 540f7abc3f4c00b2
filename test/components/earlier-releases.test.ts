import { describe, expect, test } from "vitest";
import { earlierReleases } from "../../components/earlier-releases";

const one = { releaseId: "1", image: "notes:1", lastMigration: "1_init" };
const two = { releaseId: "2", image: "notes:2", lastMigration: "2_colour" };
const live = { releaseId: "2", image: "notes:2", migration: "2_colour", before: [one] };

describe("the releases that were live before", () => {
  test("begin with the live one", () => {
    expect(earlierReleases(live, "3")).toEqual([two, one]);
    expect(earlierReleases({ ...live, migration: undefined }, "3")[0]).toEqual({ ...two, lastMigration: null });
  });

  test("stay the same when a release is repeated", () => {
    expect(earlierReleases(live, "2")).toEqual([one]);
  });

  test("name no release twice, nor the one that is released again", () => {
    expect(earlierReleases(live, "1")).toEqual([two]);
    expect(earlierReleases({ ...live, before: [two, one] }, "3")).toEqual([two, one]);
  });

  test("are none where nothing tells what is live", () => {
    expect(earlierReleases({}, "3")).toEqual([]);
  });

  test("are at most ten", () => {
    const before = Array.from({ length: 12 }, (_, index) => ({ ...one, releaseId: `old${index}` }));
    expect(earlierReleases({ ...live, before }, "3")).toHaveLength(10);
  });
});
