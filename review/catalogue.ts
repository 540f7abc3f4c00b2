import { checksumOf, type Migration } from "../migrations/history/history";
import { findingClasses } from "../settings/finding-classes";
import { wrapped } from "../text/wrapped";
import { script } from "./formats/rows";
import { reviewRelease } from "./review";
import { rules } from "./rules";
import { historyRules } from "./rules/history";
import type { RuleText } from "./rules/rule";
import { schemaRules } from "./rules/schema";
import { trialRules } from "./rules/trial";

/** The tables and other objects that the catalogue's examples change. */
const exampleSchema = `CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE users (
  id SERIAL PRIMARY KEY,
  email TEXT NOT NULL,
  name TEXT,
  age INT,
  mood mood NOT NULL DEFAULT 'ok'
);
CREATE UNIQUE INDEX users_email_key ON users (email);
CREATE INDEX users_age_idx ON users (age);
CREATE TABLE posts (
  id INT PRIMARY KEY,
  user_id INT REFERENCES users (id),
  editor_id INT,
  title TEXT
);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE TABLE events (id INT NOT NULL, at DATE NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE VIEW names AS SELECT name FROM users;
CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM posts GROUP BY user_id;
CREATE FUNCTION greet() RETURNS text LANGUAGE sql AS 'SELECT ''hello''';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE log_deletes AS ON DELETE TO posts DO ALSO NOTHING;
CREATE SEQUENCE numbers;`;

/** Every kind of finding by its id: those of the rules, those about the history and the schema, and those of a run. */
export const ruleTexts: ReadonlyMap<string, RuleText> = new Map([
  ...rules.flatMap(({ finds }) => Object.entries(finds)),
  ...Object.entries(historyRules),
  ...Object.entries(schemaRules),
  ...Object.entries(trialRules),
]);

/** Reviews an example of the catalogue. The caller must have awaited `loadParser`. */
export function reviewExample(sql: string) {
  const base = migration("20260101000000_base", exampleSchema);
  return reviewRelease({ history: [base, migration("20260102000000_change", sql)], applied: [base] });
}

function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: checksumOf(sql) };
}

/** Writes a Markdown table that lists the ids of the findings of each class. */
export function rulesByClass(): string {
  const rows = findingClasses.map((name) => {
    const ids = [...ruleTexts]
      .filter(([, { classes }]) => classes.includes(name))
      .map(([id]) => `[\`${id}\`](rules.md#${id})`);
    return `| \`${name}\` | ${ids.length > 0 ? ids.sort().join(", ") : "what squawk says and the review doesn't"} |`;
  });
  return ["| class | findings |", "| --- | --- |", ...rows].join("\n");
}

/**
 * Writes a Markdown section for each kind of finding: bad SQL, what happens, good SQL. The caller must have awaited
 * `loadParser`.
 * @throws Error when a rule finds nothing in its own example
 */
export function rulesCatalogue(): string {
  const sections = [...ruleTexts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, text]) => section(id, text));
  return [block(exampleSchema), ...sections].join("\n\n");
}

function section(id: string, { classes, bad, good, happens }: RuleText): string {
  const finding = reviewExample(bad).findings.find(({ rule }) => rule === id);
  if (!happens && !finding) throw new Error(`The rule ${id} finds nothing in its example: ${bad}`);
  const told = finding
    ? [
        finding.what,
        `Affects: ${finding.who}`,
        `Duration: ${finding.howLong}.`,
        ...(finding.irreversible ? [finding.irreversible] : []),
      ]
    : [happens ?? ""];
  const safe = finding?.safe;
  const instead = good ?? (safe && safe.migrations.length > 0 ? script(safe.migrations) : undefined);
  return [
    `## ${id}`,
    classes.map((each) => `\`${each}\``).join(", "),
    block(bad),
    told.flatMap((line) => wrapped(`- ${line}`, "  ", 119)).join("\n"),
    ...(instead === undefined ? [] : ["Instead:", block(instead)]),
    ...(good !== undefined || safe?.note === undefined ? [] : [wrapped(safe.note, "", 119).join("\n")]),
  ].join("\n\n");
}

function block(sql: string): string {
  return `\`\`\`sql\n${sql}\n\`\`\``;
}
