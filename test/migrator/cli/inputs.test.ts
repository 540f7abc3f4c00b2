import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readHistorySync } from "../../../migrations/history/history";
import { parseUrl } from "../../../migrator/db/url";
import { parseSettings } from "../../../settings/parse";
import { migrate } from "../support";

describe("a connection string that is no URL is refused with what it is, and never repeated", () => {
  test.each([
    ["host=db.example.com user=app password=hunter2", "a list of key=value"],
    ["password = hunter2 host=x", "a list of key=value"],
    ["DATABASE_URL=postgresql://app:hunter2@db/app", "the name of its variable"],
    ['"postgresql://app:hunter2@db/app"', "stands in quotes"],
    ["'postgresql://app:hunter2@db/app'", "stands in quotes"],
    ["psql postgresql://app:hunter2@db/app", "a command of psql"],
    ["jdbc:postgresql://db:5432/app?user=app&password=hunter2", "JDBC"],
    ["prisma://accelerate.prisma-data.net/?api_key=hunter2", "Accelerate"],
    ["prisma+postgres://localhost:51213/?api_key=hunter2", "`prisma dev`"],
    ["postgresql+asyncpg://app:hunter2@db/app", "names a driver"],
    ["mysql://app:hunter2@db/app", "another kind of server"],
    ["file:./hunter2.db", "another kind of server"],
    ["postgresql:/app:hunter2@db/app", "too few slashes"],
    ["postgres:app:hunter2@db/app", "too few slashes"],
    [["postgresql://app:$", "{hunter2}@db/app"].join(""), "a variable that nobody has filled in"],
    ["$hunter2", "a variable that nobody has filled in"],
    ["hunter2:x@db/app", "must begin with postgresql://"],
    ["db.example.com/hunter2", "is not a URL"],
    ["postgresql://app:hunter2#x@db/app", "percent-encoded"],
    ["  ", "is empty"],
  ])("%s", (text, what) => {
    let message = "";
    try {
      parseUrl(text);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(what);
    expect(message).not.toContain("hunter2");
  });

  test("but one that is a URL is read as before", () => {
    const { password, host } = parseUrl("postgresql://app:a$b%3D=c@db/app?application_name=x%3Dy");
    expect({ password, host }).toEqual({ password: "a$b==c", host: "db" });
    expect(parseUrl("postgres:///app?host=/run/pg").host).toBe("/run/pg");
  });
});

describe("a history with what is no file in it is refused and not waited for", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "inputs-"));
    writeFileSync(join(directory, "migration_lock.toml"), 'provider = "postgresql"\n');
    mkdirSync(join(directory, "20260101000000_a"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const script = () => join(directory, "20260101000000_a/migration.sql");

  test.each([
    ["a FIFO", () => execFileSync("mkfifo", [script()]), "is no file"],
    ["a folder", () => mkdirSync(script()), "is no file"],
    ["a link to a device", () => symlinkSync("/dev/zero", script()), "is a symbolic link"],
    ["a link to a file", () => symlinkSync("/etc/passwd", script()), "is a symbolic link"],
    ["a link to nowhere", () => symlinkSync("/nowhere", script()), "is a symbolic link"],
    ["a file without an end", () => execFileSync("truncate", ["-s", "1T", script()]), "at most 67108864 are read"],
  ])("%s", (_, make, message) => {
    make();
    expect(() => readHistorySync(directory)).toThrow(message);
  });

  test("as its lock file too", () => {
    writeFileSync(script(), "SELECT 1;");
    rmSync(join(directory, "migration_lock.toml"));
    execFileSync("mkfifo", [join(directory, "migration_lock.toml")]);
    expect(() => readHistorySync(directory)).toThrow("is no file");
  });
});

describe("settings", () => {
  const problems = (text: string) => parseSettings(JSON.parse(text)).problems.join("\n");

  test.each([
    ['{"constructor": {}}', "unknown setting constructor"],
    ['{"toString": 1}', "unknown setting toString"],
    ['{"__proto__": {"app": {}}}', "unknown setting __proto__"],
    ['{"app": {"__proto__": {"image": "x"}}}', "unknown setting app.__proto__"],
    ['{"app": {"constructor": 1}}', "unknown setting app.constructor"],
    ['{"app": {"env": {"__proto__": "x"}}}', "unknown setting app.env.__proto__"],
    ['{"workloads": [{"__proto__": "x"}]}', "unknown setting workloads.0.__proto__"],
  ])("%s is refused: a name that every object has is an unknown setting", (text, expected) => {
    expect(problems(text)).toContain(expected);
  });

  test("a number that is too large is shown as such, not as null", () => {
    expect(problems('{"app": {"replicas": 1e309}}')).toContain("app.replicas is Infinity; it must be");
    expect(problems('{"app": {"image": [1e309]}}')).toContain('app.image is ["Infinity"]');
  });

  test("a snapshot that is to be taken tomorrow is no backup", async () => {
    const directory = mkdtempSync(join(tmpdir(), "inputs-"));
    const at = new Date(Date.now() + 86_400_000).toISOString();
    const snapshot = ["--snapshot", "s", "--snapshot-created-at", at];
    const { exit, output } = await migrate("postgresql://a:b@127.0.0.1:1/x", directory, "deploy", ...snapshot);
    expect(output).toContain("which is in the future");
    expect(exit).toBe(2);
    rmSync(directory, { recursive: true });
  });
});
