import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { fingerprint, readHistorySync } from "../../../migrations/history/history";
import { main } from "../../../review/cli/main";
import { proveReview } from "../../../review/cli/proof";
import { readReviewProof } from "../../../review/proof-file";
import { loadParser, reviewRelease } from "../../../review/review";
import type { Trial } from "../../../review/trial";
import { trialFinding } from "../../../trial/finding";

let root: string;
beforeAll(() => loadParser());
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "review proof "));
  vi.spyOn(process, "cwd").mockReturnValue(root);
  // No Pulumi CLI of this machine is asked.
  vi.stubEnv("RELEASE_STACK_OUTPUTS", "{}");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function add(name: string, sql: string): void {
  mkdirSync(join(root, "db", name), { recursive: true });
  writeFileSync(join(root, "db", name, "migration.sql"), sql);
}

describe("the proof of a review", () => {
  const prove = (refuse: "destructive"[], trial?: Trial) => {
    add("1_a", "CREATE TABLE a (id INT, name TEXT);");
    add("2_b", "ALTER TABLE a DROP COLUMN name;");
    const history = readHistorySync(join(root, "db"));
    const applied = history.slice(0, 1);
    return proveReview(root, "prod", history, reviewRelease({ history, applied, policy: { refuse }, trial }));
  };
  const failed = () => {
    const [, migration] = readHistorySync(join(root, "db"));
    return trialFinding("fails-when-run", migration!, { what: "x", who: "x", howLong: "x" });
  };

  test("is written for these very migrations when they ran and nothing is refused", () => {
    const outcome = prove([], { postgres: "18.4", findings: [] });
    expect(outcome).toMatchObject({
      proved: true,
      line: expect.stringMatching(/^Proof of 1 migration on Postgres 18/),
    });
    const found = fingerprint(readHistorySync(join(root, "db")));
    expect(readReviewProof(root, "prod", found)).toMatchObject({ postgres: "18.4", migrations: ["2_b"] });
  });

  test.each<[string, () => { line: string; proved: boolean }]>([
    ["the migrations were not run: no network", () => prove([], { unavailable: "no network", findings: [] })],
    ["the migrations were not run: nothing ran them", () => prove([])],
    ["1 finding is refused, and must be fixed", () => prove(["destructive"], { postgres: "18.4", findings: [] })],
    [
      "a migration failed when it was run",
      () => {
        prove([]);
        return prove([], { postgres: "18.4", findings: [failed()] });
      },
    ],
  ])("is not written, with the reason: %s", (why, outcome) => {
    expect(outcome()).toMatchObject({ proved: false, line: expect.stringContaining(`No proof was written: ${why}`) });
    expect(readdirSync(root)).toEqual(["db"]);
  });
});

describe("npm run review -- --run --proof --stack", () => {
  const review = async (...args: string[]) => {
    let err = "";
    const words = ["--no-squawk", "--no-schema", "--format", "json", ...args];
    const status = await main(
      words,
      () => undefined,
      (text) => (err += text),
    );
    return { status, err };
  };
  beforeEach(() => {
    add("1_a", "CREATE TABLE a (id INT, name TEXT);");
    add("2_b", "CREATE TABLE b (id INT);");
    add("3_held_back", "CREATE TABL c;");
    const migrations = { directory: join(root, "db"), until: "2_b" };
    writeFileSync(join(root, "Pulumi.prod.yaml"), JSON.stringify({ config: { "release:migrations": migrations } }));
  });

  test("runs what the release would apply after the live one, and leaves the proof that up looks for", async () => {
    vi.stubEnv("RELEASE_STACK_OUTPUTS", JSON.stringify({ migrations: { last: "1_a" } }));
    const { status, err } = await review("--stack", "prod", "--run", "--proof");
    expect([status, err]).toEqual([0, expect.stringContaining("Proof of 1 migration on Postgres")]);
    const released = readHistorySync(join(root, "db")).slice(0, 2);
    expect(readReviewProof(root, "prod", fingerprint(released))).toMatchObject({ migrations: ["2_b"] });
  });

  test("says that nothing has to be proved where nothing is new", async () => {
    const { status, err } = await review("--stack", "prod", "--since", "2_b", "--run", "--proof");
    expect([status, err]).toEqual([0, "No proof is needed: no migration is new.\n"]);
  });

  test.each([
    [["--run", "--proof"], "Pass --stack NAME with --proof"],
    [["--proof", "--stack", "prod", "--no-run"], "Pass --run with --proof"],
    [["--run", "--proof", "--stack", "prod", "--base", "main"], "Pass --proof without --base"],
  ])("%j is refused", async (words, why) => {
    writeFileSync(
      join(root, "Pulumi.local.yaml"),
      JSON.stringify({ config: { "release:migrations": { directory: "db" } } }),
    );
    const { status, err } = await review(...words);
    expect([status, err]).toEqual([3, expect.stringContaining(why)]);
  });
});
