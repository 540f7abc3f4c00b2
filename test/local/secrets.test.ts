import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Credentials } from "../../local/cloud/aws/records";
import { Cli, modeOf } from "./cli";

/** What may hold a password: the store of Secrets, and the roles' passwords beside each instance and snapshot. */
const SECRET_STORES = [/^cloud\/kubernetes\/secrets\//, /(^|\/)credentials\.json$/];

/** Stands for what a customer typed in, and for a password in a setting. */
const CANARY = "canary-41c7";
const BROKEN = `CREATE TABLE broken (id int, email text);
INSERT INTO broken VALUES (1, '${CANARY}'), (2, '${CANARY}');
DO $$ BEGIN RAISE NOTICE '${CANARY}'; END $$;
CREATE UNIQUE INDEX broken_email ON broken (email);
`;

describe.sequential("the password in the database URL", { timeout: 400_000 }, () => {
  const cli = new Cli(2);
  // The database that refuses connections is waited for no longer than this.
  cli.set("migrations.connectWait", "5s");
  const stackDir = join(cli.stateDir, "release", "local");
  const commandLines = new Set<string>();
  afterAll(() => cli.end(), 60_000);

  const passwords = () => {
    const file = join(cli.cloudDir(), "aws/instances/notes-db/credentials.json");
    return Object.values(JSON.parse(readFileSync(file, "utf8")) as Credentials);
  };
  /** In clear, and as base64 writes it, wherever it begins. */
  const forms = (password: string) => [
    password,
    ...[0, 1, 2].map((skip) => Buffer.from(password.slice(skip)).toString("base64").slice(0, -4)),
  ];
  const holds = (text: string) => passwords().some((password) => forms(password).some((form) => text.includes(form)));
  const look = () => {
    for (const line of execFileSync("ps", ["-eo", "args="], { encoding: "utf8", maxBuffer: 64e6 }).split("\n")) {
      commandLines.add(line);
    }
  };
  const watched = async (...words: string[]) => {
    const watch = setInterval(look, 200);
    try {
      return await cli.run(...words);
    } finally {
      clearInterval(watch);
    }
  };

  test("is not printed by any verb, nor on a command line, through a good and a failed release", async () => {
    expect((await watched("up", "--json")).status).toBe(0);
    cli.addMigration("20270101000000_broken", BROKEN);
    const failed = await watched("up");
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain("DETAIL: Key (email) is duplicated.");
    // Refused before anything is touched, and not repeated.
    const refused = await cli.run("up", "--config", `smoke.command=curl https://u:${CANARY}@notes`);
    expect(refused).toMatchObject({ status: 1, stdout: expect.not.stringContaining(CANARY) });
    expect(refused.stderr + refused.stdout).toContain("smoke.command holds a URL with a password");
    for (const words of [
      ["preview", "--json"],
      ["status", "--json"],
      ["outputs", "--json"],
      ["logs", "app"],
      ["logs", "migration"],
      ["logs", "database"],
      ["snapshots", "--json"],
      ["query", "SELECT nothing"],
      ["fault", "database-refuses"],
      ["query", "SELECT 1"],
      ["up"],
      ["fault", "none"],
    ]) {
      await watched(...words);
    }
    const [snapshot] = (await cli.run("snapshots", "--json")).events;
    expect((await watched("restore", "--to", snapshot.identifier)).status).toBe(0);
    expect((await watched("refresh", "--json")).status).toBe(0);

    expect(cli.printed.join("").length).toBeGreaterThan(5_000);
    expect(cli.printed.filter(holds)).toEqual([]);
    expect([...commandLines].some((line) => line.includes(cli.cloudDir()))).toBe(true);
    expect([...commandLines].filter(holds)).toEqual([]);
  });

  test("no row, constant or setting with a secret is printed, or kept in state, logs and reports", () => {
    // `logs database` is the server's own log, which is where the whole text of an error stays.
    const ownLog = (text: string) => text.includes("LOG:  starting PostgreSQL");
    expect(cli.printed.filter((text) => text.includes(CANARY) && !ownLog(text))).toEqual([]);
    expect([...commandLines].filter((line) => line.includes(CANARY))).toEqual([]);
    const found: string[] = [];
    for (const entry of readdirSync(cli.home, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = relative(cli.home, path).split(sep).join("/");
      // The migration itself, and the database with its own log.
      if (name.startsWith("migrations/") || name.includes("/cloud/aws/")) continue;
      if (readFileSync(path, "latin1").includes(CANARY)) found.push(name);
    }
    expect(found).toEqual([]);
  });

  test("is in no file but the stores of secrets, which only their owner can read", () => {
    const found: string[] = [];
    let files = 0;
    for (const entry of readdirSync(stackDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = relative(stackDir, path).split(sep).join("/");
      files++;
      if (SECRET_STORES.some((store) => store.test(name))) {
        expect(modeOf(path), name).toBe("600");
      } else if (holds(readFileSync(path, "latin1"))) found.push(name);
    }
    expect(files).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  test("would be seen by this test", () => {
    const store = join(cli.cloudDir(), "kubernetes/secrets/default/notes-database.json");
    expect(holds(readFileSync(store, "utf8"))).toBe(true);
    expect(holds(`postgresql://app:${passwords()[0]}@127.0.0.1/notes`)).toBe(true);
  });
});
