import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { CHECKS } from "../../settings/checks";
import { parseSettings } from "../../settings/parse";

const FOLDER = join(__dirname, "../../docs/hosts");
const PAGES = readdirSync(FOLDER);

describe.each(PAGES)("docs/hosts/%s", (page) => {
  const text = readFileSync(join(FOLDER, page), "utf8");

  test("has settings that work as they stand", () => {
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
    const given = Object.entries(parse(yaml) as Record<string, unknown>).map(([key, value]) => [
      key.replace("release:", ""),
      value,
    ]);
    const app = { name: "notes", image: "notes:1" };
    const { problems } = parseSettings({ app, ...Object.fromEntries(given) });
    expect(problems).toEqual([]);
    // A host without RDS needs another kind of backup than the default.
    expect(parse(yaml)["release:backup"].mode).toMatch(/^(branch|dump)$/);
  });

  test("says of each subject what is different", () => {
    for (const subject of [
      "pooled hosts",
      "roles",
      "row level security",
      "extensions",
      "TLS",
      "connections",
      "versions",
    ])
      expect(text, subject).toContain(`| ${subject} |`);
  });

  test("names checks, failures and pages that there are", () => {
    for (const [, check] of text.matchAll(/check `([a-z-]+)`/g)) expect(Object.keys(CHECKS)).toContain(check);
    for (const [, link] of text.matchAll(/\]\((\.[^)#]+)/g)) readFileSync(join(dirname(join(FOLDER, page)), link!));
  });

  test("is found from the page about backups", () => {
    expect(readFileSync(join(FOLDER, "../backup.md"), "utf8")).toContain(`(hosts/${page})`);
  });
});
