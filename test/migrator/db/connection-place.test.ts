import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { escapeIdentifier, escapeLiteral } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Session } from "../../../migrator/db/connection";
import { connectionPlace, connectionUrl } from "../../../migrator/db/connection-place";
import { parseUrl } from "../../../migrator/db/url";
import type { BadUrl } from "../../../migrator/failures/connection";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, query, scratch, startMigrator } from "../support";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 120_000);
afterAll(() => server?.stop());

const threeParts = /FAILED \((\S+)\): .*[\s\S]*\nDatabase: .*\nApp: .*\nNext: (.*)/;

const read = (environment: Record<string, string>, parameters: Record<string, string> = {}) => {
  const place = connectionPlace(undefined, environment)!;
  return parseUrl(connectionUrl(place, parameters), { form: place.form });
};
const PARTS = { PGHOST: "db", PGUSER: "app", PGPASSWORD: "canary-pw", PGDATABASE: "notes" };

let count = 0;
function fileOf(content: string): string {
  const path = join(scratch, `connection-${++count}`);
  writeFileSync(path, content);
  return path;
}

/** A text that an environment variable and a role of Postgres may have: no NUL, no half of a surrogate pair. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(..." :/?#[]@!$&'()*+,;=%\"\\<>{}|^`~\t\n"),
      fc.string({ unit: "grapheme", minLength: 1 }),
    ),
    minLength: 1,
    maxLength: 20,
  })
  .filter((each) => !each.includes("\0") && !/\p{Surrogate}/u.test(each));

/**
 * Whether pg leaves the password as it is. SASLprep changes some passwords, such as "e" with a separate accent. Postgres
 * leaves those alone that also have a character that SASLprep prohibits (a tab, most emoji), and pg 8.23 does not.
 */
const isPlain = (each: string) =>
  each.normalize("NFKC") === each &&
  [...each].every((character) => !/\p{Cf}|\p{Mn}|\p{Zs}/u.test(character) || character === " ");

describe("parts of a connection", () => {
  test("with every character in them log in to a real Postgres, from variables, JSON and a URL", async () => {
    // A name is at most 63 bytes long, and Postgres' own prefix is reserved.
    const name = text.filter(
      (each) => each === each.trim() && Buffer.byteLength(each) < 60 && !/^(pg_|\.{1,2}$|public$|none$)/.test(each),
    );
    const seed = Date.now() % 2 ** 31;
    const numbers = new Set<number>();
    await fc
      .assert(
        fc.asyncProperty(text.filter(isPlain), name, name, async (password, user, database) => {
          numbers.add(numbers.size);
          // The suffix keeps the names of different runs apart.
          const [role, made] = [`${user}${numbers.size}`, `${database}${numbers.size}`];
          await query(server.url, `CREATE ROLE ${escapeIdentifier(role)} LOGIN PASSWORD ${escapeLiteral(password)}`);
          await query(server.url, `CREATE DATABASE ${escapeIdentifier(made)} OWNER ${escapeIdentifier(role)}`);
          const parts = { PGHOST: "127.0.0.1", PGPORT: String(server.port) };
          const json = { username: role, password, dbname: made, engine: "postgres" };
          const targets = [
            read({ ...parts, PGUSER: role, PGPASSWORD: password, PGDATABASE: made }),
            read({ ...parts, DATABASE_URL_FILE: fileOf(JSON.stringify(json)) }),
          ];
          for (const target of targets) {
            expect(target).toMatchObject({ user: role, password, database: made });
            const session = await Session.open(target, { applicationName: "test", connectWait: 5_000 });
            const [row] = await session.rows('SELECT session_user AS "user", current_database() AS database');
            await session.close();
            expect(row).toEqual({ user: role, database: made });
          }
        }),
        {
          seed,
          numRuns: 40,
          examples: [
            ["cafe\u0301 \uFB01", "a", "b"],
            ["\n", "b c", "%2F?"],
          ],
        },
      )
      .catch((error: Error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error.cause });
      });
  }, 120_000);

  test("are only read where there is no URL, and a file counts more", () => {
    const url = "postgresql://u:p@there/db";
    expect(connectionPlace(undefined, { ...PARTS, DATABASE_URL: url })).toEqual({ form: "url", url });
    expect(connectionPlace("postgresql://x", { ...PARTS, DATABASE_URL: url })).toEqual({
      form: "url",
      url: "postgresql://x",
    });
    expect(connectionPlace(undefined, { ...PARTS, DATABASE_URL_FILE: "/f" })).toMatchObject({
      form: "file",
      file: "/f",
    });
    expect(connectionPlace(undefined, { PGUSER: "somebody", PGPASSWORD: "x" })).toBeUndefined();
  });

  test("have the port 5432, and may be a socket or an IPv6 address", () => {
    expect(read(PARTS)).toMatchObject({ host: "db", port: 5432, form: "parts" });
    expect(read({ ...PARTS, PGHOST: "/var/run/postgresql" }).host).toBe("/var/run/postgresql");
    expect(read({ ...PARTS, PGHOST: "::1", PGPORT: "6000" })).toMatchObject({ host: "::1", port: 6000 });
  });

  test("get the parameters of the settings, which count less than those of a URL", () => {
    expect(read(PARTS, { schema: "a b&c", sslmode: "require" })).toMatchObject({ schema: "a b&c", tlsMode: "require" });
    expect(read({ DATABASE_URL: "postgresql://h/db?schema=own" }, { schema: "other" }).schema).toBe("own");
    expect(read({ DATABASE_URL: "postgresql://h/db" }, { schema: "other" }).schema).toBe("other");
  });

  test("that hold a password with a line break at its end are used as they are, with a remark", () => {
    expect(read({ ...PARTS, PGPASSWORD: "canary-pw\n" })).toMatchObject({
      password: "canary-pw\n",
      remarks: [expect.stringContaining("begins or ends with a space or a line break")],
    });
  });
});

describe("a file of the connection", () => {
  test("holds a URL, or the JSON of AWS Secrets Manager", () => {
    const url = "postgresql://u:p@there:6000/db?schema=s";
    expect(read({ DATABASE_URL_FILE: fileOf(`${url}\n`) })).toMatchObject({ host: "there", schema: "s", form: "file" });
    const json = { engine: "postgres", host: "there", port: 6000, username: "u", password: "p", dbname: "db" };
    expect(read({ DIRECT_URL_FILE: fileOf(JSON.stringify(json)) })).toMatchObject({ host: "there", port: 6000 });
  });

  test("that RDS manages holds user and password only, and the settings count more than the file", () => {
    const file = fileOf(JSON.stringify({ username: "u", password: "p", host: "proxy" }));
    expect(read({ PGHOST: "db", PGDATABASE: "notes", DATABASE_URL_FILE: file })).toMatchObject({
      host: "db",
      user: "u",
      database: "notes",
    });
  });
});

const JSON_OF = (changes: object) =>
  JSON.stringify({ host: "db", username: "u", password: "canary-pw", dbname: "notes", ...changes });

describe("a wrong connection is refused without its values being repeated", () => {
  test.each([
    ["no user", { ...PARTS, PGUSER: "" }, "PGUSER is missing or empty"],
    ["no database", { ...PARTS, PGDATABASE: "" }, "PGDATABASE is missing or empty"],
    ["a port that is none", { ...PARTS, PGPORT: "canary-pw" }, "PGPORT must be a whole number from 1 to 65535"],
    ["a port that is too large", { ...PARTS, PGPORT: "70000" }, "PGPORT must be a whole number"],
    ["a host with a port", { ...PARTS, PGHOST: "canary-pw:5432" }, "PGHOST has a port behind the server's name"],
    ["a host that is a URL", { ...PARTS, PGHOST: "postgresql://canary-pw@db" }, "PGHOST is a URL"],
    ["several hosts", { ...PARTS, PGHOST: "a,canary-pw" }, "PGHOST names several servers"],
    ["a host with more behind it", { ...PARTS, PGHOST: "a/canary-pw" }, "PGHOST must be the name or address"],
    ["a line break behind the user", { ...PARTS, PGUSER: "canary-pw\n" }, "PGUSER begins or ends with a space"],
    ["a path in place of a database", { ...PARTS, PGDATABASE: ".." }, "PGDATABASE is no name of a database"],
    [
      "a file that isn't there",
      { DATABASE_URL_FILE: "/no/such/file" },
      "/no/such/file of the connection can't be read",
    ],
    ["an empty file", { DATABASE_URL_FILE: "EMPTY" }, "of the connection is empty"],
    ["a file with half of its JSON", { DATABASE_URL_FILE: '{"password": "canary-pw"' }, "neither a URL nor valid JSON"],
    ["a file without a URL", { DATABASE_URL_FILE: "canary-pw" }, "The connection string is not a URL"],
    ["JSON of another server", { DATABASE_URL_FILE: JSON_OF({ engine: "mysql" }) }, "its `engine` is not postgres"],
    ["JSON without a host", { DATABASE_URL_FILE: JSON_OF({ host: undefined }) }, '"host" in'],
    [
      "a host beside a URL",
      { PGHOST: "canary-pw", DATABASE_URL_FILE: "postgresql://u:p@h/db" },
      "holds a URL, so host",
    ],
  ])("%s", (_, environment, reason) => {
    const { DATABASE_URL_FILE: content, ...rest } = environment as Record<string, string>;
    const file =
      content === undefined || content.startsWith("/") ? content : fileOf(content === "EMPTY" ? "" : content);
    let failure: BadUrl | undefined;
    try {
      read({ ...rest, ...(file === undefined ? {} : { DATABASE_URL_FILE: file }) });
    } catch (error) {
      failure = error as BadUrl;
    }
    expect(failure?.code).toBe("bad-url");
    expect(`${failure!.message} ${failure!.detail ?? ""}`).toContain(reason);
    expect(JSON.stringify([failure!.message, failure!.detail, failure!.next, failure!.stack])).not.toContain(
      "canary-pw",
    );
    expect(failure!.next).toMatch(file === undefined ? /database\.secret/ : /database\.file/);
  });

  test("and every mistake is named at once", () => {
    expect(() => read({ PGHOST: "a:1", PGPORT: "x" })).toThrow(
      expect.objectContaining({
        detail: expect.stringMatching(
          /PGUSER is missing[\s\S]*PGDATABASE is missing[\s\S]*PGHOST has a port[\s\S]*PGPORT/,
        ),
      }),
    );
  });
});

test("a login that is refused names the variables, or the file, and never the password", async () => {
  const directory = historyOf({ "1_a": "SELECT 1;" });
  const parts = { PGHOST: "127.0.0.1", PGPORT: String(server.port), PGDATABASE: "postgres" };
  const login = { PGUSER: "postgres", PGPASSWORD: "canary-pw" };
  const file = fileOf(JSON.stringify({ username: "postgres", password: "canary-pw" }));
  for (const [environment, next] of [
    [{ ...parts, ...login }, /PGUSER, PGPASSWORD or PGDATABASE \(the keys that database\.secret/],
    [{ ...parts, DATABASE_URL_FILE: file }, /in the file of the connection/],
  ] as const) {
    const { exit, output } = await startMigrator(["status", "--migrations", directory], environment).ended;
    expect(exit).toBe(3);
    expect(threeParts.exec(output)?.slice(1)).toEqual(["login-refused", expect.stringMatching(next)]);
    expect(output).not.toContain("canary-pw");
  }
});

test("a command gets one percent-encoded URL in its environment, and none of its parts in its arguments", async () => {
  const url = await server.createDatabase();
  const password = `p@ss/w:o?r#d %&=+"'`;
  await query(
    url,
    `CREATE ROLE "com mand" LOGIN PASSWORD ${escapeLiteral(password)}; GRANT ALL ON SCHEMA public TO "com mand"`,
  );
  const script = `
    const { Client } = require(${JSON.stringify(require.resolve("pg"))});
    const client = new Client({ connectionString: process.env.DATABASE_URL.replace(/[?].*/, "") });
    client.connect().then(() => client.query("SELECT session_user AS me"))
      .then(({ rows }) => console.log("logged in as", rows[0].me, process.argv.length, "args"))
      .finally(() => client.end());`;
  const { exit, output } = await startMigrator(["run", "--migrations", historyOf({}), "--", "node", "-e", script], {
    PGHOST: "127.0.0.1",
    PGPORT: String(server.port),
    PGUSER: "com mand",
    PGPASSWORD: password,
    PGDATABASE: new URL(url).pathname.slice(1),
  }).ended;
  expect({ exit, output }).toMatchObject({ exit: 0, output: expect.stringContaining("logged in as com mand 1 args") });
  expect(output).not.toContain(password);
});
