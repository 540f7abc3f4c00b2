import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { movedUrl, postgresUrl, serverOf } from "../../../restore/switch/moved-url";

const COPY = { host: "notes-db-restored.abc.eu-central-1.rds.amazonaws.com", port: 6543 };

describe("a connection string that leads to the copy", () => {
  test("keeps role, password, database and every parameter, whatever they are", () => {
    const text = fc.string({ minLength: 1, maxLength: 12 });
    // A path of dots alone is none in a URL, and no database has such a name.
    const name = text.filter((each) => !/^\.+$/.test(each));
    const parameters = fc.uniqueArray(fc.tuple(fc.constantFrom("schema", "sslmode", "options", "a"), text), {
      selector: ([key]) => key,
    });
    const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
    fc.assert(
      fc.property(text, text, name, port, parameters, (user, password, database, at, given) => {
        const encode = encodeURIComponent;
        const search = given.map(([key, value]) => `${key}=${encode(value)}`).join("&");
        const server = at === undefined ? "source.example" : `source.example:${at}`;
        const before = `postgresql://${encode(user)}:${encode(password)}@${server}/${encode(database)}${search && `?${search}`}`;
        const after = new URL(movedUrl(postgresUrl(before)!, COPY, undefined));
        expect([after.hostname, after.port]).toEqual([COPY.host, String(COPY.port)]);
        expect(decodeURIComponent(after.username)).toBe(user);
        expect(decodeURIComponent(after.password)).toBe(password);
        expect(decodeURIComponent(after.pathname)).toBe(`/${database}`);
        expect(after.search).toBe(new URL(before).search);
      }),
    );
  });

  test.each([
    ["postgres://a:b@h/d", "postgres://a:b@h:5433/d"],
    ["postgres://a:b@h:1/d?sslmode=require", "postgres://a:b@h:5433/d?sslmode=require"],
    ["postgres://a:b@x/d?host=other&options=-c%20a%3Db", "postgres://a:b@h:5433/d?options=-c%20a%3Db"],
    ["postgres://a:b@[::1]:1/d", "postgres://a:b@h:5433/d"],
  ])("%s", (before, after) => {
    expect(movedUrl(postgresUrl(before)!, { host: "h", port: 5433 }, undefined)).toBe(after);
  });

  test("names another database where the copy is one of the same server", () => {
    expect(movedUrl(postgresUrl("postgres://a@h/d?schema=s")!, { host: "h", port: 5432 }, "d restored")).toBe(
      "postgres://a@h:5432/d%20restored?schema=s",
    );
  });

  test("leads to an address of version 6", () => {
    const moved = postgresUrl(movedUrl(postgresUrl("postgres://a@h/d")!, { host: "::1", port: 1 }, undefined))!;
    expect(serverOf(moved)).toEqual({ host: "::1", port: 1 });
  });
});

test.each(["", "notes", "mysql://a@h/d", "postgres://a@h1:1,h2:2/d", "prisma://accelerate"])(
  "%j is no connection string of one server",
  (text) => expect(postgresUrl(text)).toBeUndefined(),
);
