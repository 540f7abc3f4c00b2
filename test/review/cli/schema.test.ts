import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../../review/cli/main";

const app = join(__dirname, "../../../examples/app");
const before = process.cwd();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "review-schema-"));
  cpSync(join(app, "prisma"), join(folder, "prisma"), { recursive: true });
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

function change(from: RegExp | string, to: string): void {
  const file = join(folder, "prisma/schema.prisma");
  const text = readFileSync(file, "utf8");
  expect(text).toMatch(from);
  writeFileSync(file, text.replace(from, to));
}

async function run(...args: string[]) {
  let out = "";
  const print = (text: string) => {
    out += text;
  };
  const last = "20260309090000_contract_note_title";
  const status = await main(
    ["--migrations", "prisma/migrations", "--since", last, "--no-squawk", ...args],
    print,
    print,
  );
  return { status, out };
}

describe("npm run review and the Prisma schema", () => {
  test("says nothing of an example app whose schema and history agree", async () => {
    const { out, status } = await run("--format", "json");
    expect(JSON.parse(out).findings.filter(({ classes }: { classes: string[] }) => classes.includes("schema"))).toEqual(
      [],
    );
    expect(status).toBe(0);
  });

  test("finds a field whose migration was forgotten, with its line and the command that makes it", async () => {
    change("  pinned ", "  colour    String?\n  pinned ");
    const { out, status } = await run();
    expect(out).toContain("Warning, the release continues: the Prisma schema and the migrations differ.");
    expect(out).toMatch(/error: not-in-history notes\.colour \(schema\)\n {3}prisma\/schema\.prisma, line \d+\n/);
    expect(out).toContain("Run: `npx prisma migrate dev --create-only --name add_notes_colour`");
    expect(status).toBe(2);
    const annotations = (await run("--format", "github")).out;
    expect(annotations).toMatch(/^::error file=prisma\/schema\.prisma,line=\d+,title=not-in-history notes\.colour::/m);
    const sarif = JSON.parse((await run("--format", "sarif")).out);
    const [{ physicalLocation }] = sarif.runs[0].results[0].locations;
    expect(physicalLocation.artifactLocation.uri).toBe("prisma/schema.prisma");
    expect((await run("--format", "markdown")).out).toContain("- Where: `prisma/schema.prisma`, line ");
  });

  test("finds a default and a column that only one side has", async () => {
    change('@default("")', '@default("-")');
    change(/ {2}pinned .*\n/, "");
    const { out } = await run("--format", "json");
    expect(JSON.parse(out).findings.map(({ id, severity }: Record<string, string>) => [id, severity])).toEqual([
      ["not-in-schema notes.pinned", "warning"],
      ["schema-differs notes.body", "warning"],
    ]);
  });

  test("compares none with --no-schema, and the one that --schema names", async () => {
    change("  pinned ", "  colour    String?\n  pinned ");
    expect((await run("--no-schema")).status).toBe(0);
    expect((await run("--schema", "prisma/schema.prisma")).out).toContain("--name add_notes_colour`");
    renameSync(join(folder, "prisma/schema.prisma"), join(folder, "prisma/main.prisma"));
    const named = (await run("--schema", "prisma/main.prisma", "--format", "json")).out;
    expect(named).toContain("--name add_notes_colour --schema prisma/main.prisma`");
    const missing = await run("--schema", "nowhere.prisma");
    expect(missing.out).toContain("There is no Prisma schema nowhere.prisma (--schema, or review.schema).");
    expect(missing.status).toBe(3);
  });

  test("says that a schema can't be read, or isn't one of Postgres", async () => {
    change("model Note {", "model {");
    const unread = await run();
    expect(unread.out).toContain("was not compared with the migrations");
    expect(unread.status).toBe(1);
    writeFileSync(join(folder, "prisma/schema.prisma"), 'datasource db {\n  provider = "mysql"\n}\n');
    expect((await run()).out).toContain("it is for mysql");
  });

  test("takes the path from review.schema, refuses a difference, and takes its acknowledgement", async () => {
    change("  pinned ", "  colour    String?\n  pinned ");
    const settings = (review: object) =>
      writeFileSync(
        join(folder, "Pulumi.prod.yaml"),
        JSON.stringify({
          config: {
            "release:migrations": { directory: "prisma/migrations", image: "x" },
            "release:review": { refuse: ["schema"], ...review },
          },
        }),
      );
    settings({});
    const { out, status } = await run("--stack", "prod", "--format", "json");
    const [finding] = JSON.parse(out).refused;
    expect([finding.id, status]).toEqual(["not-in-history notes.colour", 2]);
    const { id, migration, checksum } = finding;
    const acknowledgement = { migration, finding: id, checksum: checksum.slice(0, 8), reason: "comes tomorrow" };
    settings({ acknowledgements: [acknowledgement] });
    expect((await run("--stack", "prod")).status).toBe(0);
    settings({ schema: false, acknowledgements: [acknowledgement] });
    const without = await run("--stack", "prod");
    expect(without.out).not.toContain("has no effect");
    expect(without.status).toBe(0);
    settings({ schema: "elsewhere.prisma" });
    expect((await run("--stack", "prod")).out).toContain("There is no Prisma schema elsewhere.prisma");
  });
});

test("with --base, a difference that the base has too is a note", async () => {
  const git = (...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", ...args],
      { cwd: folder, stdio: "pipe" },
    );
  change("  pinned ", "  colour    String?\n  pinned ");
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "x");
  change("  pinned ", "  width     Int?\n  pinned ");
  let out = "";
  const print = (text: string) => {
    out += text;
  };
  const status = await main(
    ["--migrations", "prisma/migrations", "--base", "main", "--no-squawk", "--format", "json"],
    print,
    print,
  );
  expect(JSON.parse(out).findings.map(({ id, severity }: Record<string, string>) => [id, severity])).toEqual([
    ["not-in-history notes.width", "error"],
    ["not-in-history notes.colour", "info"],
  ]);
  expect(out).toContain("It was so before this branch.");
  expect(status).toBe(2);
});
