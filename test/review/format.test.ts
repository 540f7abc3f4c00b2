import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../migrations/history/history";
import type { Measurement } from "../../report/measurement";
import { commentMark, formatReview, largestComment } from "../../review/formats";
import { pendingText } from "../../review/formats/pending";
import { acknowledgementFor } from "../../review/gate";
import { loadParser, type ReviewInput, reviewRelease } from "../../review/review";
import type { Trial } from "../../review/trial";

beforeAll(() => loadParser());

const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
const base = migration(
  "1_base",
  'CREATE TABLE "User" (id INT PRIMARY KEY, name TEXT, age INT); CREATE TABLE b (id INT);',
);
const sql = 'ALTER TABLE "User" DROP COLUMN name;\nCREATE INDEX i ON "User" (age);\nDROP INDEX i;';
const pending = migration("2_new", sql);
const review = (more: Partial<ReviewInput> = {}) =>
  reviewRelease({ history: [base, pending], applied: [base], ...more });
const strict = { policy: { refuse: ["destructive"] as const } };

describe("markdown", () => {
  test("opens with one line for a manager and one table for a DBA", () => {
    const text = formatReview(review(strict), "markdown");
    const [mark, , alert, line, , , , header] = text.split("\n");
    expect(mark).toBe(commentMark);
    expect(alert).toBe("> [!CAUTION]");
    expect(line).toBe(
      "> **Refused: 1 finding must be fixed or acknowledged first: data is lost, and pods of the old version fail during the rollout.**",
    );
    expect(header).toBe("| Migration | Statement | Lock | Blocks | Rewrite | Size | Risk | Safe way |");
    expect(text).toContain('-- release: contract\nALTER TABLE "User" DROP COLUMN name;');
    expect(text).toContain(JSON.stringify(acknowledgementFor(review().findings[0]!)));
  });

  test("says so when all is well, and when nothing is new", () => {
    expect(formatReview(reviewRelease({ history: [base], applied: [base] }), "markdown")).toContain(
      "changes nothing in the database",
    );
    const safe = reviewRelease({ history: [base, migration("2_a", 'ALTER TABLE "User" ADD x INT')], applied: [base] });
    expect(formatReview(safe, "markdown")).toContain("> [!TIP]\n> **Safe to release");
  });

  test("fits into a comment, however much there is to say, and says what it left out", () => {
    const many = Array.from(
      { length: 400 },
      (_, index) =>
        `ALTER TABLE "User" ADD CONSTRAINT c${index} CHECK (age > ${index} AND name <> '${"x".repeat(300)}');`,
    ).join("\n");
    const text = formatReview(
      reviewRelease({ history: [base, migration("2_many", many)], applied: [base] }),
      "markdown",
    );
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(largestComment);
    expect(text).toMatch(/\d+ more rows? in the full report/);
    expect(text).toMatch(/\d+ more findings? in the full report/);
  });

  test("is no wall of text: the worst is seen, the rest is folded away", () => {
    const many = Array.from({ length: 30 }, (_, index) => `CREATE INDEX i${index} ON "User" (age);`).join("\n");
    const drop = migration("3_drop", "DROP TABLE b;");
    const history = [base, migration("2_many", many), drop];
    const text = formatReview(reviewRelease({ history, applied: [base] }), "markdown");
    expect(text).toContain("<summary>18 more rows, of less risk</summary>");
    expect(text).toMatch(/<summary>\d+ more findings<\/summary>/);
    expect(text.indexOf("DROP TABLE b")).toBeLessThan(text.indexOf("of less risk"));
  });

  test("nothing that a migration says is markup", () => {
    const evil = 'ALTER TABLE "User" ADD CONSTRAINT "</code>| @everyone [x](y) `````" CHECK (age > 0)';
    const text = formatReview(
      reviewRelease({ history: [base, migration("2_<b>|", evil)], applied: [base] }),
      "markdown",
    );
    expect(text).not.toContain("</code>| @everyone [x](y)\n");
    for (const line of text.split("\n").filter((item) => item.startsWith("|")))
      expect(line.split("|")).toHaveLength(10);
    expect(text).toContain("``````sql");
  });
});

describe("other formats", () => {
  test.each(["text", "json", "sarif", "github"] as const)("a name begins no line and no command in %s", (format) => {
    const evil = 'ALTER TABLE "User" DROP COLUMN "x\n::set-env name=a::b\n##vso[task.x]y\u001b[2J\u202e"';
    const text = formatReview(reviewRelease({ history: [base, migration("2_new", evil)], applied: [base] }), format, {
      notes: ["##[error]note\nof two lines"],
    });
    expect(text).not.toMatch(/^\s*::set-env|##(vso)?\[|\u202e/m);
    expect(text).not.toContain("\u001b");
    expect(text).toContain("set-env");
  });

  test("text says what to write instead and how to acknowledge", () => {
    const text = formatReview(review(strict), "text", { notes: ["squawk is away"] });
    expect(text).toMatch(/^Refused: /);
    expect(text).toContain("Note: squawk is away");
    expect(text).toContain("REFUSED: drop-column User.name");
    expect(text).toContain("     -- release: contract\n     ALTER TABLE");
    expect(text).toContain(`- ${JSON.stringify(acknowledgementFor(review().findings[0]!))}`);
    const acknowledged = review({
      ...strict,
      acknowledgements: [acknowledgementFor(review().findings[0]!, "unused since May")],
    });
    expect(formatReview(acknowledged, "text")).toContain("Acknowledged: unused since May");
    const stale = review({
      ...strict,
      acknowledgements: [{ ...acknowledgementFor(review().findings[0]!, "x"), checksum: "00000000" }],
    });
    expect(formatReview(stale, "text").replace(/\s+/g, " ")).toContain("has no effect: the file was changed since");
  });

  test("json is the review itself", () => {
    const value = JSON.parse(formatReview(review(), "json"));
    expect(value).toMatchObject({ version: 1, first: false, before: 1, migrations: [{ name: "2_new" }] });
    expect(value.findings).toEqual(JSON.parse(JSON.stringify(review().findings)));
  });

  test("sarif names the files, the lines and what is acknowledged", () => {
    const input = { ...strict, acknowledgements: [acknowledgementFor(review().findings[0]!, "unused")] };
    const [run] = JSON.parse(formatReview(review(input), "sarif", { directory: "a b\\prisma/migrations/" })).runs;
    expect(run.results[0]).toMatchObject({
      ruleId: "drop-column",
      level: "error",
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "a%20b/prisma/migrations/2_new/migration.sql" },
            region: { startLine: 1 },
          },
        },
      ],
      suppressions: [{ kind: "external", justification: "unused" }],
    });
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId);
  });

  test("github's commands can't be broken out of", () => {
    const lines = formatReview(review(strict), "github", { directory: "." }).trim().split("\n");
    expect(lines[1]).toMatch(/^::error file=2_new\/migration.sql,line=1,title=drop-column User.name::Drops/);
    expect(lines.slice(1).every((line) => line.startsWith("::"))).toBe(true);
    expect(lines[1]).toContain("%0A");
  });
});

describe("what squawk says", () => {
  const lint = (rule: string, line = 1) => ({
    migration: "2_new",
    line,
    rule,
    message: "said by squawk",
    help: "do this",
  });

  test("is told where the review says nothing about it, and not where it does", () => {
    const found = review({
      lint: {
        messages: [
          lint("ban-drop-column"),
          lint("require-lock-timeout"),
          lint("identifier-too-long", 2),
          { ...lint("x"), migration: "1_base" },
        ],
      },
    });
    const told = found.findings.filter(({ classes }) => classes.includes("lint"));
    expect(told).toMatchObject([
      { rule: "squawk/identifier-too-long", statement: 1, line: 2, safe: { note: "do this" } },
    ]);
  });

  test.each(["text", "markdown", "json"] as const)(
    "is said to be missing where it could not be asked (%s)",
    (format) => {
      const found = review({ lint: { unavailable: "the package squawk-cli is not installed" } });
      expect(formatReview(found, format)).toContain(
        "squawk's rules are left out: the package squawk-cli is not installed.",
      );
    },
  );
});

describe("what a run of the migrations measured", () => {
  const comments = migration("3_comments", "CREATE TABLE comments (id INT);");
  const statement = { line: 1, walBytes: 0, tables: [] };
  const size = (rows: number, kibibytes: number) => ({ rows, bytes: kibibytes * 1024 });
  const measurement: Measurement = {
    milliseconds: 340,
    migrations: [
      {
        name: "2_new",
        milliseconds: 312,
        blocked: [{ table: "User", lock: "ACCESS EXCLUSIVE", milliseconds: 310 }],
        statements: [
          { ...statement, index: 0, kind: "ALTER TABLE", milliseconds: 1.4, rows: 0 },
          { ...statement, index: 1, kind: "CREATE INDEX", milliseconds: 1250, rows: 3 },
        ],
      },
      { name: "3_comments", milliseconds: 4, blocked: [], statements: [] },
    ],
    growth: {
      User: { before: size(1, 32), after: size(1, 48) },
      b: { before: size(5, 8), after: size(5, 8) },
      comments: { after: size(0, 16) },
    },
    diskBytes: 0,
    walBytes: 0,
    plans: undefined,
  };
  const measured = (trial: Trial = { postgres: "18.4", measurement, findings: [] }) =>
    reviewRelease({ history: [base, pending, comments], applied: [base], trial });

  test("is told beside the statements, and for each migration and table (text)", () => {
    const text = formatReview(measured(), "text");
    expect(text).toContain('\n2_new:1 (1 ms)  ALTER TABLE "User" DROP COLUMN name\n  User: ACCESS EXCLUSIVE, ');
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
    const at = text.indexOf("\nRun on");
    expect(text.slice(at + 1, text.indexOf("\n\n", at))).toBe(
      [
        "Run on Postgres 18.4 in 340 ms:",
        "  2_new  312 ms, 3 rows, blocked reads and writes of User for 310 ms",
        "  3_comments  4 ms, 0 rows",
        "  User: 32 KiB, 1 row → 48 KiB",
        "  comments: new → 16 KiB, 0 rows",
      ].join("\n"),
    );
    expect(formatReview(measured(), "github")).toContain("\n  3_comments  4 ms, 0 rows\n");
  });

  test("is told in the table of the findings, with what no statement of it is about (markdown)", () => {
    const rows = formatReview(measured(), "markdown")
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(rows[0]).toBe(
      "| Migration | Statement | Lock | Blocks | Rewrite | Size | Run on Postgres 18&#46;4 | Risk | Safe way |",
    );
    const cells = rows.slice(2).map((row) => row.split("|").map((cell) => cell.trim()));
    expect(cells.map((row) => [row[1], row[7]])).toEqual([
      ["<code>new</code><br>312 ms, 3 rows", "1 ms<br>32 KiB, 1 row → 48 KiB"],
      ["", "1.3 s"],
      ["", ""],
      ["<code>comments</code>", "4 ms, 0 rows"],
      ["", "new → 16 KiB, 0 rows"],
    ]);
  });

  test("is there whole for programs", () => {
    expect(JSON.parse(formatReview(measured(), "json")).trial.measurement).toEqual(
      JSON.parse(JSON.stringify(measurement)),
    );
    expect(JSON.parse(formatReview(measured(), "sarif")).runs[0].properties.trial).toMatchObject({ postgres: "18.4" });
  });

  test.each(["text", "markdown", "github"] as const)("is not there where a migration failed (%s)", (format) => {
    const failed = { ...review().findings[0]!, id: "fails-when-run", rule: "fails-when-run" };
    const text = formatReview(measured({ postgres: "18.4", findings: [failed] }), format);
    expect(text.replace("&#46;", ".")).toContain("Run on Postgres 18.4, see the findings.");
    expect(text).toContain("fails-when-run");
  });

  test.each(["text", "markdown", "github", "json"] as const)("is missing with the reason (%s)", (format) => {
    const text = formatReview(measured({ unavailable: "Postgres 17 is not here", findings: [] }), format);
    expect(text).toContain("The migrations were not run: Postgres 17 is not here.");
    expect(text).not.toContain("Run on Postgres");
  });
});

describe("the pending migrations", () => {
  const contract = migration("3_contract", "-- release: contract\nALTER TABLE b DROP COLUMN id;\n");
  const hotfix = migration("4_hotfix", "-- release: hotfix\nCREATE INDEX b_id ON b (id);\n");
  const pendingOf = (applied: ReviewInput["history"], history = [base, pending, contract]) =>
    pendingText(reviewRelease({ history, applied }));

  test("are named, each with its statements, and whether it waits for the rollout", () => {
    expect(pendingOf([base])).toBe(
      [
        "2 migrations are pending:",
        "  2_new       3 statements",
        "  3_contract  1 statement, contract: after the rollout",
      ].join("\n"),
    );
    expect(pendingOf([base], [base, hotfix])).toContain(
      "4_hotfix  1 statement, hotfix: only recorded where it is there",
    );
    expect(pendingOf([])).toMatch(/^3 migrations are pending, assuming an EMPTY database:\n/);
  });

  test("are said to be none in one line", () => {
    expect(pendingOf([base, pending, contract])).toBe("No migration is pending: 3 migrations are applied already.");
    expect(pendingOf([], [])).toBe("No migration is pending: the folder has none.");
  });

  test("are counted after the twentieth", () => {
    const history = Array.from({ length: 31 }, (_, index) => migration(`${100 + index}_x`, "SELECT 1;"));
    const lines = pendingOf(history.slice(0, 1), history).split("\n");
    expect([lines.length, lines[20], lines[21]]).toEqual([22, "  120_x  1 statement", "  … and 10 more"]);
  });
});
