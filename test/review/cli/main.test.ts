import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../../review/cli/main";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A repository with one commit: a table. */
function repository() {
  const root = mkdtempSync(join(tmpdir(), "review-"));
  folders.push(root);
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", ...args],
      { cwd: root, stdio: "pipe" },
    );
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const add = (name: string, sql: string) => write(`db/migrations/${name}/migration.sql`, sql);
  const commit = () => {
    git("add", "-A");
    git("commit", "-qm", "x");
  };
  git("init", "-q", "-b", "main");
  add("1_base", "CREATE TABLE a (id INT PRIMARY KEY, name TEXT);\n");
  write("db/migrations/migration_lock.toml", 'provider = "postgresql"\n');
  commit();
  return { root, git, write, add, commit, migrations: join(root, "db/migrations") };
}

async function run(...args: string[]) {
  let out = "";
  let err = "";
  const status = await main(
    args,
    (text) => {
      out += text;
    },
    (text) => {
      err += text;
    },
  );
  return { status, out, err };
}

describe("npm run review", () => {
  test("with --base judges what the branch adds, as it will be after the merge", async () => {
    const { git, add, commit, migrations } = repository();
    git("checkout", "-qb", "branch");
    add("3_index", "CREATE INDEX i ON a (name);\n");
    commit();
    git("checkout", "-q", "main");
    add("2_meanwhile", "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO a;\n");
    add("4_later", "CREATE TABLE c (id INT);\n");
    commit();
    git("checkout", "-q", "branch");
    const { status, out } = await run("--migrations", migrations, "--base", "main", "--format", "json", "--no-squawk");
    const review = JSON.parse(out);
    expect(review.migrations.map(({ name }: { name: string }) => name)).toEqual(["3_index"]);
    expect(review.findings.map(({ rule }: { rule: string }) => rule).sort()).toEqual([
      "index-blocks-writes",
      "out-of-order",
    ]);
    expect(review.notes).toEqual(["main has 2 migrations that the branch doesn't have yet (counted as deployed)."]);
    expect(status).toBe(1);
  });

  test("with --base sees what the branch edits and deletes, but not line ends", async () => {
    const { git, add, commit, migrations } = repository();
    add("2_same", "SELECT 1;\nSELECT 2;\n");
    add("3_gone", "SELECT 3;\n");
    commit();
    git("checkout", "-qb", "branch");
    add("1_base", "CREATE TABLE a (id INT PRIMARY KEY, name TEXT, more INT);\n");
    add("2_same", "SELECT 1;\r\nSELECT 2;\r\n");
    rmSync(join(migrations, "3_gone"), { recursive: true });
    const { status, out } = await run("--migrations", migrations, "--base", "main", "--format", "json", "--no-squawk");
    expect(JSON.parse(out).findings.map(({ rule, migration }: Record<string, string>) => [rule, migration])).toEqual([
      ["edited", "1_base"],
      ["missing", "3_gone"],
    ]);
    expect(status).toBe(2);
  });

  test("takes folder, policy and acknowledgements from the stack's settings", async () => {
    const { root, add, write } = repository();
    add("2_drop", "ALTER TABLE a DROP COLUMN name;\n");
    const settings = (acknowledgements: unknown[]) =>
      write(
        "Pulumi.prod.yaml",
        JSON.stringify({
          config: {
            "release:migrations": { directory: "db/migrations", image: "x" },
            "release:review": { refuse: ["destructive"], acknowledgements },
          },
        }),
      );
    const before = process.cwd();
    process.chdir(root);
    try {
      settings([]);
      const args = ["--stack", "prod", "--since", "1_base", "--format", "json"];
      const refused = await run(...args);
      expect(refused.status).toBe(2);
      const [finding] = JSON.parse(refused.out).refused;
      expect(finding.id).toBe("drop-column a.name");
      settings([
        { migration: "2_drop", finding: finding.id, checksum: finding.checksum.slice(0, 8), reason: "nobody reads it" },
      ]);
      expect((await run(...args)).status).toBe(0);
      add("2_drop", "ALTER TABLE a DROP COLUMN name; -- changed\n");
      expect((await run(...args)).status).toBe(2);
    } finally {
      process.chdir(before);
    }
  });

  test.each([
    [{ reviw: {} }, "unknown setting reviw; did you mean review?"],
    [{ review: { refuse: ["destroying"] } }, 'review.refuse.0 is "destroying"; it must be "destructive" or'],
    [
      { review: { acknowledgements: [{ migration: "2_drop", finding: "x", checksum: "abc", reason: "" }] } },
      "review.acknowledgements.0.checksum is",
    ],
    [{ migrations: { directory: "db/migrations", runner: "prisma" } }, "migrations.runner is"],
    [{ migrations: { directory: "db/migrations", lockTimeout: "0s" } }, "migrations.lockTimeout is"],
    [{ review: { since: 5, refuse: "all" } }, "2 invalid settings in"],
  ])("refuses of the settings what up refuses: %j", async (settings, message) => {
    const { root, write, migrations } = repository();
    write("Pulumi.yaml", "name: shop\nconfig:\n  review: {value: {refuse: [destructive]}}\n");
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`shop:${key}`, value]));
    // The image is set where the release is made.
    write(
      "Pulumi.prod.yaml",
      JSON.stringify({ config: { ...config, "shop:app": { name: "shop" }, "aws:region": "x" } }),
    );
    const before = process.cwd();
    process.chdir(root);
    try {
      const { status, err } = await run("--migrations", migrations, "--stack", "prod", "--no-squawk");
      expect(err).toContain(message);
      expect(status).toBe(3);
    } finally {
      process.chdir(before);
    }
  });

  test("takes from the project's file what the stack's own leaves out, as up does", async () => {
    const { root, write, add } = repository();
    add("2_drop", "ALTER TABLE a DROP COLUMN name;\n");
    write("Pulumi.yaml", "name: shop\nconfig:\n  review: {value: {refuse: [destructive], since: 1_base}}\n");
    write("Pulumi.prod.yaml", "config:\n  migrations: {directory: db/migrations}\n");
    const before = process.cwd();
    process.chdir(root);
    try {
      const { out } = await run("--stack", "prod", "--no-squawk", "--format", "json");
      expect(JSON.parse(out).refused.map(({ id }: { id: string }) => id)).toEqual(["drop-column a.name"]);
    } finally {
      process.chdir(before);
    }
  });

  test.each([
    ["prod", ["drop-column notes.title", "many-rows notes"]],
    ["dev", []],
  ])("as they are shipped, the settings of %s refuse of the example's history: %j", async (stack, refused) => {
    const ours = ["--stack", stack, "--since", "20260216090500_expand_note_subject", "--format", "json", "--no-squawk"];
    const { out } = await run(...ours);
    expect(JSON.parse(out).refused.map(({ id }: { id: string }) => id)).toEqual(refused);
  });

  test("asks squawk, which knows rules of its own", async () => {
    const { add, migrations } = repository();
    add("2_long", `CREATE TABLE ${"x".repeat(70)} (id INT);\n`);
    const { out, status } = await run("--migrations", migrations, "--since", "1_base");
    expect(out).toContain("squawk identifier-too-long");
    expect(status).toBe(1);
  });

  test("takes sizes from a file, and writes to one", async () => {
    const { root, add, migrations, write } = repository();
    add("2_index", "CREATE INDEX i ON a (name);\n");
    write("sizes.json", JSON.stringify({ tables: { a: { rows: 3, bytes: 8192 } } }));
    const small = await run("--migrations", migrations, "--since", "1_base", "--stats", join(root, "sizes.json"));
    expect(small.status).toBe(0);
    expect(small.out).toContain("Under 1 s (8 KiB, 3 rows)");
    const { status, out } = await run(
      "--migrations",
      migrations,
      "--since",
      "1_base",
      "--output",
      join(root, "out.md"),
      "--format",
      "markdown",
      `--also=json=${join(root, "out.json")}`,
      `--also=text=${join(root, "out.txt")}`,
    );
    expect([status, out]).toEqual([1, ""]);
    expect(readFileSync(join(root, "out.md"), "utf8")).toContain("> [!WARNING]");
    expect(JSON.parse(readFileSync(join(root, "out.json"), "utf8"))).toMatchObject({
      migrations: [{ name: "2_index" }],
    });
    expect(readFileSync(join(root, "out.txt"), "utf8")).toContain("1. warning: index-blocks-writes");
  });

  test.each<[string[], RegExp]>([
    [["--migrations", "/nowhere"], /no such folder/],
    [["--stack", "absent"], /There is no .*Pulumi.absent.yaml/],
    [["--format", "pdf"], /Allowed choices are text, markdown, json, sarif, github/],
    [["--also", "pdf=x"], /Write FORMAT=FILE, with one of text, markdown, json, sarif, github/],
    [["--wrong"], /unknown option/],
    [["--migrations", "MIGRATIONS", "--since", "9_x"], /Unknown migration --since 9_x/],
    [["--migrations", "MIGRATIONS", "--base", "absent"], /not a commit, branch or tag/],
    [["--migrations", "MIGRATIONS", "--base=--output=x"], /not a commit, branch or tag/],
    [["--migrations", "MIGRATIONS", "--base", "main", "--since", "1_base"], /not both/],
    [["--migrations", "MIGRATIONS", "--stats", "/nowhere"], /There is no \/nowhere/],
  ])("%j is not reviewed, and it says why", async (args, message) => {
    const { migrations } = repository();
    const { status, err } = await run(...args.map((arg) => (arg === "MIGRATIONS" ? migrations : arg)));
    expect(status).toBe(3);
    expect(err).toMatch(message);
  });

  test("every mistake in the sizes is named", async () => {
    const { root, write, migrations } = repository();
    write("sizes.json", JSON.stringify({ tables: { a: { rows: -1 } }, more: 1 }));
    const { err } = await run("--migrations", migrations, "--stats", join(root, "sizes.json"));
    expect(err).toMatch(/tables\.a\.rows/);
    expect(err).toMatch(/tables\.a\.bytes/);
    expect(err).toMatch(/more/);
  });
});

/** Values that a person may type by mistake: each is answered in words and not reviewed, and nothing is waited for. */
describe("what can't be used is answered without a stack trace", () => {
  const { root, migrations, write } = (() => {
    const made = repository();
    folders.splice(folders.indexOf(made.root), 1);
    return made;
  })();
  const from = process.cwd();
  beforeAll(() => {
    mkdirSync(join(root, "Pulumi.folder.yaml"));
    execFileSync("mkfifo", [join(root, "Pulumi.fifo.yaml")]);
    write("Pulumi.broken.yaml", "config: [hunter2");
    write("Pulumi.documents.yaml", "a: 1\n---\nb: 2\n");
    write("Pulumi.twice.yaml", "config:\n  a: 1\n  a: hunter2\n");
    write("Pulumi.text.yaml", "only text");
    write("Pulumi.five.yaml", "config: 5");
    write("null.json", "null");
    // A folder with a link into what this user may not look at, or that is a file.
    mkdirSync(join(root, "links"));
    symlinkSync(join(root, "null.json/below"), join(root, "links/20240101000000_a"));
    process.chdir(root);
  });
  afterAll(() => {
    process.chdir(from);
    rmSync(root, { recursive: true });
  });

  test.each([
    [["--stack", "folder"], "Pulumi.folder.yaml can't be read: it is a folder"],
    [["--stack", "fifo"], "Pulumi.fifo.yaml can't be read: it is a FIFO, a socket or a device"],
    [["--stack", "broken"], "Pulumi.broken.yaml is not YAML: Flow sequence"],
    [["--stack", "documents"], "Pulumi.documents.yaml is not YAML: Source contains multiple documents"],
    [["--stack", "twice"], "Pulumi.twice.yaml is not YAML: Map keys must be unique"],
    [["--stack", "text"], "Pulumi.text.yaml holds no group of keys"],
    [["--stack", "five"], "Pulumi.five.yaml: config is no group of keys"],
    [["--stack", "constructor"], "There is no"],
    [["--migrations", migrations, "--stats", root], "(--stats) can't be read: it is a folder."],
    [["--migrations", migrations, "--stats", "nowhere"], "There is no nowhere (--stats)."],
    [["--migrations", migrations, "--stats", "/dev/zero"], "/dev/zero (--stats) can't be read: it is a FIFO"],
    [
      ["--migrations", migrations, "--stats", "null.json"],
      "null.json has a mistake:\n  Invalid input: expected object",
    ],
    [["--migrations", migrations, "--output", root], "can't be written: EISDIR"],
    [["--migrations", migrations, "--output", "nowhere/page"], "can't be written: ENOENT"],
    [["--migrations", migrations, "--output", "/proc/x/page"], "can't be written: ENOENT"],
    [["--migrations", migrations, "--since", "__proto__"], "Unknown migration --since __proto__"],
    [["--migrations", migrations, "--base", "__proto__"], "--base __proto__ is not a commit"],
    [["--migrations", migrations, "--base", ""], "is not a commit"],
    [["--migrations", migrations, "--format", "constructor"], "Allowed choices are text"],
    [["--migrations", join(root, "links")], "not a directory"],
  ])("%j", async (words, message) => {
    const { status, out, err } = await run(...words, "--no-squawk");
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ {4}at |hunter2/m);
    expect([status, out]).toEqual([3, ""]);
  });
});
