import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../migrations/history/history";
import { definitionsOf } from "../../trial/definitions";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { installPrisma, prismaMigrate } from "../support/prisma";
import { Cli } from "./cli";

const STACKS = ["development", "staging", "production"];
const BY_HAND = [
  "CREATE INDEX CONCURRENTLY notes_state_idx ON notes (state)",
  "ALTER TABLE notes ALTER COLUMN subject SET DEFAULT 'untitled'",
];

/** A hotfix made by hand, from the night to the release of all stages. The tests build on each other. */
describe.sequential("a hotfix made by hand in production", { timeout: 900_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli();
  beforeAll(() => installPrisma(), 240_000);
  afterAll(() => cli.end(), 120_000);

  const up = async (stack: string, ...words: string[]) => cli.run("up", "--stack", stack, ...words);

  async function on<T>(stack: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: cli.connection(stack).adminUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** How each migration came into the history, by the audit trail. */
  const audited = (stack: string, migration: string) =>
    on(stack, async (client) => {
      const sql = "SELECT event FROM _release.audit WHERE migration = $1 ORDER BY id";
      return (await client.query<{ event: string }>(sql, [migration])).rows.map(({ event }) => event);
    });

  test("stops the next release of production, whose message has the command that adopts it", async () => {
    for (const stack of STACKS) {
      const released = await up(stack);
      expect(released.status, released.stdout + released.stderr).toBe(0);
    }
    await on("production", async (client) => {
      for (const sql of BY_HAND) await client.query(sql);
    });
    const stopped = await up("production", "--config", "app.image=notes:1.1.0");
    expect(stopped.status).toBe(1);
    expect(stopped.stdout).toContain("FAILED (preflight)");
    expect(stopped.stdout).toContain("+ index public.notes_state_idx");
    const [, adopt] = /Next: bring it into the history: (.*? adopt --name NAME .*?); or/.exec(stopped.stdout)!;
    const before = new Set(readdirSync(cli.migrations));
    await cli.type(adopt!.replace("NAME", "retroactively_add_state_index"));
    const written = readdirSync(cli.migrations).filter((name) => !before.has(name));
    expect(written).toEqual([expect.stringMatching(/^\d{14}_retroactively_add_state_index$/)]);
    const sql = readFileSync(join(cli.migrations, written[0]!, "migration.sql"), "utf8");
    expect(sql).toContain("-- release: hotfix");
    expect(sql).toContain("CREATE INDEX notes_state_idx");
  });

  test("goes through all stages by `up` alone: production records it, the others run it", async () => {
    cli.set("app.image", "notes:1.1.0");
    const hotfix = readdirSync(cli.migrations).find((name) => name.endsWith("_retroactively_add_state_index"))!;
    for (const stack of STACKS) {
      const released = await up(stack);
      expect(released.status, released.stdout + released.stderr).toBe(0);
    }
    expect(await audited("production", hotfix)).toContain("hotfix.recorded");
    for (const stack of ["development", "staging"]) {
      const events = await audited(stack, hotfix);
      expect(events).toContain("migration.applied");
      expect(events).not.toContain("hotfix.recorded");
    }
  });

  test("leaves the same history, checksums and schema on all stages", async () => {
    const files = readdirSync(cli.migrations)
      .filter((name) => !name.endsWith(".toml"))
      .sort()
      .map((name) => [name, checksumOf(readFileSync(join(cli.migrations, name, "migration.sql"), "utf8"))]);
    const definitions = new Set<string>();
    for (const stack of STACKS) {
      const [rows, lines] = await on(stack, async (client) => {
        const history = await client.query(
          `SELECT migration_name, checksum FROM _prisma_migrations
           WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`,
        );
        const all = await client.query("SELECT count(*)::int AS count FROM _prisma_migrations");
        expect(all.rows[0].count, stack).toBe(history.rows.length);
        await client.query("BEGIN READ ONLY");
        return [history.rows, await definitionsOf(client)] as const;
      });
      expect(
        rows.map((row) => [row.migration_name, row.checksum]),
        stack,
      ).toEqual(files);
      definitions.add(lines.join("\n"));
    }
    expect(definitions.size).toBe(1);
    expect([...definitions][0]).toContain("notes_state_idx");
  });

  test.each(STACKS)("is no drift on %s, and `prisma migrate status` says that it is up to date", async (stack) => {
    const drift = await cli.run("ops", "drift", "--stack", stack);
    expect(drift.status, drift.stdout + drift.stderr).toBe(0);
    const { args, env } = prismaMigrate("status", cli.connection(stack).adminUrl, cli.migrations, cli.home);
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: cli.home, env });
    expect(stdout).toContain("Database schema is up to date");
  });
});
