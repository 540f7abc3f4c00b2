import { describe, expect, test } from "vitest";
import { movedSecret } from "../../../restore/switch/moved-secret";
import type { Move } from "../../../restore/target";
import { parseSettings } from "../../../settings/parse";

const MOVE: Move = {
  source: {
    identifier: "db",
    endpoint: { host: "db.example", port: 5432 },
    readerEndpoint: { host: "db-ro.example", port: 5432 },
  },
  copy: {
    identifier: "copy",
    endpoint: { host: "copy.example", port: 5433 },
    readerEndpoint: { host: "copy-ro.example", port: 5433 },
  },
  from: "db-1",
};

const databaseOf = (database: object) => {
  const { settings, problems } = parseSettings({ database: { identifier: "db", ...database } }, ["database"]);
  expect(problems).toEqual([]);
  return settings!.database;
};

function move(values: Record<string, string | Buffer>, database: object = { secret: { name: "s" } }, to: Move = MOVE) {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value as string).toString("base64")]);
  const moved = movedSecret("s", Object.fromEntries(data), databaseOf(database), to);
  const text = Object.entries(moved.data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
  return { ...moved, values: Object.fromEntries(text) };
}

const URLS = { url: "postgres://app:x@db.example/notes", "direct-url": "postgres://owner:y@db.example:5432/notes" };

describe("a Secret that leads to the copy", () => {
  test("has the same keys; the connection strings lead to the copy, and all else is kept and named", () => {
    const { values, moved, kept, notes, problems } = move({
      ...URLS,
      "replica-url": "postgres://app:x@db-ro.example/notes",
      "queue-url": "postgres://app:x@queue.example/q",
      token: "abc",
    });
    expect(values).toEqual({
      url: "postgres://app:x@copy.example:5433/notes",
      "direct-url": "postgres://owner:y@copy.example:5433/notes",
      "replica-url": "postgres://app:x@copy-ro.example:5433/notes",
      "queue-url": "postgres://app:x@queue.example/q",
      token: "abc",
    });
    expect(moved).toEqual(["url", "direct-url", "replica-url"]);
    expect(kept).toEqual(["queue-url", "token"]);
    expect(notes).toEqual(["queue-url leads to queue.example, which is not the database: it stays as it is."]);
    expect(problems).toEqual([]);
  });

  test("leads past a pooler, and says so", () => {
    const { values, notes } = move({ ...URLS, url: "postgres://app:x@pooler/notes" });
    expect(values.url).toBe("postgres://app:x@copy.example:5433/notes");
    expect(notes).toEqual([
      "url leads to pooler, which is not the database itself, such as a pooler. In the new Secret it leads to the copy directly.",
    ]);
  });

  test("replaces separate values by what the settings say that they are", () => {
    const keys = { name: "s", passwordKey: "p", hostKey: "h", portKey: "o", nameKey: "n" };
    const given = { p: "db.example", h: "db.example", o: "5432", n: "notes", username: "app" };
    expect(move(given, { secret: keys }).values).toEqual({ ...given, h: "copy.example", o: "5433" });
    const sameServer = { ...MOVE, copy: { endpoint: MOVE.source.endpoint, database: "notes_restored" } };
    expect(move(given, { secret: keys }, sameServer).values).toEqual({ ...given, n: "notes_restored" });
  });

  test("leads to another database by the same ways, also by a pooler, where the copy is on the same server", () => {
    const copy = { endpoint: MOVE.source.endpoint, database: "notes_restored" };
    const other = {
      ...URLS,
      url: "postgres://app:x@pooler/notes?pgbouncer=true",
      "queue-url": "postgres://a@db.example/q",
    };
    const { values, moved } = move(other, undefined, { ...MOVE, source: { ...MOVE.source, database: "notes" }, copy });
    expect(values).toEqual({
      url: "postgres://app:x@pooler/notes_restored?pgbouncer=true",
      "direct-url": "postgres://owner:y@db.example:5432/notes_restored",
      "queue-url": "postgres://a@db.example/q",
    });
    expect(moved).toEqual(["url", "direct-url"]);
  });

  test("keeps bytes that are no text", () => {
    const bytes = Buffer.from([0xff, 0xfe, 0]);
    expect(move({ ...URLS, file: bytes }).data["file"]).toBe(bytes.toString("base64"));
  });

  test("is impossible without a key that the settings name, or where it holds no connection string of one server", () => {
    expect(move({ url: "prisma://accelerate" }).problems).toEqual([
      "Secret s has no key direct-url, which the settings name.",
      "Secret s: url holds no connection string of one Postgres server, so it can't be made to lead elsewhere.",
    ]);
  });

  test("says nothing of its values", () => {
    const { notes, problems } = move({ url: "hunter2", "direct-url": "postgres://owner:hunter2@pooler/notes" });
    expect(JSON.stringify([notes, problems])).not.toContain("hunter2");
  });
});
