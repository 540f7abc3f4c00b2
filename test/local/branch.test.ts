import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cli } from "./cli";

// The branches are made by the local cloud's stand-in of Neon's API; their data is that of real servers.
describe.sequential("backup.mode: branch on the local cloud", { timeout: 300_000 }, () => {
  const cli = new Cli(2);
  const commandLines = new Set<string>();
  const started = async (...words: string[]) => {
    const watch = setInterval(() => {
      for (const line of execFileSync("ps", ["-eo", "args="], { encoding: "utf8", maxBuffer: 64e6 }).split("\n"))
        commandLines.add(line);
    }, 100);
    try {
      return await cli.run(...words);
    } finally {
      clearInterval(watch);
    }
  };
  const query = async (sql: string, instance?: string) => {
    const client = new Client({ connectionString: cli.connection("local", instance).adminUrl });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  const titles = (instance?: string) => query("SELECT id, title FROM notes ORDER BY id", instance);

  beforeAll(() => {
    cli.set("backup.mode", "branch");
    cli.set("backup.restore", "");
    cli.set("backup.branch", "{project: local-project-1, secret: {name: notes-neon}}");
  });
  afterAll(() => cli.end(), 60_000);

  test("is restored beside the database, as that was before the migration", async () => {
    const first = await started("up");
    expect(first.status, first.stdout).toBe(0);
    await query("INSERT INTO notes (title, body) VALUES ('before', '')");
    const before = await titles();
    cli.addMigration("20990101000000_mark", "ALTER TABLE notes ADD COLUMN mark text;");
    const second = await started("up");
    expect(second.status, second.stdout).toBe(0);
    const { backup, snapshot, restore } = await cli.outputs();
    const location = expect.stringMatching(/^neon:\/\/local-project-1\/release\.local\/notes-[0-9a-f]{12}$/);
    expect(backup).toMatchObject({ kind: "branch", location });
    expect(snapshot).toBeNull();
    expect(restore).toContain(`--to ${(backup as { id: string }).id}`);
    const pages = readdirSync(cli.reports).map((page) => readFileSync(join(cli.reports, page), "utf8"));
    expect(pages.join("\n")).toContain((backup as { location: string }).location);
    await query("DELETE FROM notes");

    const restored = await started("restore");
    expect(restored.status, restored.stdout + restored.stderr).toBe(0);
    const [, copy] = /^(notes-restored-\S+) is restored to branch /m.exec(restored.stdout) ?? [];
    expect(await titles(copy)).toEqual(before);
    expect(await titles()).toEqual([]);
    const removed = await cli.run("restore", "remove", copy!);
    expect(removed.status, removed.stdout + removed.stderr).toBe(0);
    expect(() => cli.connection("local", copy)).toThrow();
  });

  test("the API key is printed nowhere, on no command line and in no state", () => {
    const { key } = JSON.parse(readFileSync(join(cli.cloudDir(), "neon/key.json"), "utf8")) as { key: string };
    expect(key).toMatch(/^napi_/);
    expect(cli.printed.join("\n")).not.toContain(key);
    expect([...commandLines].join("\n")).not.toContain(key);
    expect(readFileSync(join(cli.cloudDir(), "../state.json"), "utf8")).not.toContain(key);
  });
});
