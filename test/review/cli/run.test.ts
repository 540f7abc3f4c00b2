import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VERSIONS } from "../../../embedded/majors";
import { main } from "../../../review/cli/main";

let root: string;
const before = process.cwd();

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "review-run-"));
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("db/migration_lock.toml", 'provider = "postgresql"\n');
  write("db/1_base/migration.sql", "CREATE TABLE a (id INT PRIMARY KEY, name TEXT);");
  write("db/2_unique/migration.sql", "CREATE UNIQUE INDEX a_name ON a (name);");
  write("seed.sql", "INSERT INTO a VALUES (1, 'x'), (2, 'x');");
  const settings = { "release:migrations": { directory: "db" }, "release:review": { seed: "seed.sql", postgres: 18 } };
  write("Pulumi.ci.yaml", JSON.stringify({ config: settings }));
  const datasource = 'datasource db {\n  provider = "postgresql"\n}';
  write("schema.prisma", `${datasource}\nmodel a {\n  id   Int     @id\n  name String?\n}\n`);
  process.chdir(root);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], { stdio: "pipe" });
  git("init", "-q");
  git("add", "-A");
  git("-c", "commit.gpgsign=false", "commit", "-qm", "x");
});
afterAll(() => {
  process.chdir(before);
  rmSync(root, { recursive: true });
});

async function review(...args: string[]) {
  let text = "";
  const add = (more: string) => {
    text += more;
  };
  const status = await main(["--stack", "ci", "--no-squawk", ...args], add, add);
  return { status, text };
}

test("--run runs the new migrations on the rows of review.seed", async () => {
  const { status, text } = await review("--since", "1_base", "--run", "--format", "json");
  expect(status).toBe(2);
  expect(JSON.parse(text)).toMatchObject({
    trial: { postgres: expect.stringMatching(/^18\./) },
    findings: expect.arrayContaining([expect.objectContaining({ id: "fails-when-run", migration: "2_unique" })]),
  });
});

test("with --base and --seed, what the text doesn't show is found: a lock, and a column that the old version uses", async () => {
  writeFileSync(join(root, "one.sql"), "INSERT INTO a VALUES (1, 'x');");
  mkdirSync(join(root, "db/3_hidden"));
  const hidden = "DO $$ BEGIN EXECUTE 'ALTER TABLE a DROP COLUMN name'; END $$;";
  writeFileSync(join(root, "db/3_hidden/migration.sql"), hidden);
  const { text } = await review("--base", "HEAD", "--run", "--seed", "one.sql", "--format", "json");
  rmSync(join(root, "db/3_hidden"), { recursive: true });
  const ids = JSON.parse(text).findings.map(({ id }: { id: string }) => id);
  expect(ids).toEqual(expect.arrayContaining(["lock-not-foreseen a", "old-version-broken a.name"]));
});

test("--postgres is a major that can be run, and --seed a file that is there", async () => {
  const { status, text } = await review("--since", "1_base", "--run", "--seed", "none.sql");
  expect(status).toBe(3);
  expect(text).toContain("There is no none.sql (--seed, or review.seed).");
  expect((await review("--postgres", "9")).status).toBe(3);
  const majors = Object.keys(VERSIONS).map((major) => `"${major}"`);
  expect((await review("--help")).text.replace(/\s+/g, " ")).toContain(majors.join(", "));
});

test("nothing is run where nothing is new, nor with --no-run in CI", async () => {
  expect((await review("--since", "2_unique", "--run", "--format", "json")).text).not.toContain('"trial"');
  process.env["CI"] = "true";
  try {
    expect((await review("--since", "1_base", "--no-run", "--format", "json")).text).not.toContain('"trial"');
  } finally {
    process.env["CI"] = "";
  }
});

test("where the migrations can't be run, --run is refused, and the default of CI goes on with a note", async () => {
  writeFileSync(join(root, "db/1_base/migration.sql"), "CREATE EXTENSION postgis; CREATE TABLE a (id INT, name TEXT);");
  const asked = await review("--since", "1_base", "--run");
  expect(asked.status).toBe(3);
  expect(asked.text).toMatch(/could not be run \(--run\): .*postgis.*To review them without: --no-run/s);
  process.env["CI"] = "true";
  try {
    const { status, text } = await review("--since", "1_base");
    expect(status).toBeLessThan(3);
    expect(text).toMatch(/The migrations were not run: .*postgis/s);
  } finally {
    process.env["CI"] = "";
  }
});
