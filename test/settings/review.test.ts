import { expect, test } from "vitest";
import { NEWEST, OLDEST } from "../../embedded/majors";
import { parseSettings } from "../../settings/parse";

const problemsOf = (review: object) => parseSettings({ review }, ["review"]).problems ?? [];

test("review.postgres is a major that can be run", () => {
  expect(parseSettings({ review: {} }, ["review"]).settings?.review.postgres).toBe(NEWEST);
  for (const postgres of [OLDEST, NEWEST]) expect(problemsOf({ postgres })).toEqual([]);
  expect(problemsOf({ postgres: OLDEST - 1 }).join()).toMatch(
    new RegExp(`review.postgres.*from ${OLDEST} to ${NEWEST}`),
  );
});

test("review.seed is a file of SQL or a command, and nothing else", () => {
  for (const seed of ["prisma/seed.sql", ["npx", "prisma", "db", "seed"]]) expect(problemsOf({ seed })).toEqual([]);
  for (const seed of ["npx prisma db seed", 7])
    expect(problemsOf({ seed }).join()).toMatch(/review\.seed.*a file that ends with \.sql, or a list/);
  expect(problemsOf({ seed: [] })).toEqual(["review.seed is []; it must be not empty"]);
});
