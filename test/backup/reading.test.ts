import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { libpqConnection, shellVariables } from "../../backup/dump/libpq";
import { decrypted, encrypted } from "../../backup/encryption";
import { NoIdentity } from "../../backup/failures/reading";
import { readIdentities } from "../../backup/identities";
import { type Manifest, manifestText } from "../../backup/manifest";
import { chacha20poly1305 } from "../../backup/native-chacha";
import { checkDump, readDump, readManifest } from "../../backup/read-dump";
import { claimStore } from "../../backup/stores/claim";
import { partBytes } from "../../backup/stores/s3-upload";
import { parseUrl } from "../../migrator/db/url";
import { KEYS } from "./pod";

const [KEY] = KEYS;
const folder = mkdtempSync(join(tmpdir(), "dump-reading-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** "hello dump", encrypted by age's own command line. */
const BY_AGE =
  "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSAwbDRYQTVlRHdNSFplb0djMEsvOXZ1VG8xYlduWkJuMzk0Q3FvaWQxQnc4CkZkQzRLSEpNUEttOUl0ZThIbDNDanVwc0VNdkRaRXNqMWF0eXNNM2RTb1UKLS0tIEtFUkQxVzFLempRVWVhdDQyUEZiQlFxMlhJSTJESGdLUlNlTUo0eTZBL1UK+eLQJwLZ+R3U8hc5BqqhQTTtIvgWOe/ZmRbw+zN5qSnjg8c0E3EMen/u";

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function whole(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

describe("the encryption", () => {
  test("is age's own, in both directions", async () => {
    const read = await decrypted(pieces(Buffer.from(BY_AGE, "base64")), [KEY.identity]);
    expect((await whole(read)).toString()).toBe("hello dump");
    const data = Buffer.alloc(200_000, "dump");
    const file = await whole(await encrypted(pieces(data.subarray(0, 70_000), data.subarray(70_000)), [KEY.recipient]));
    expect(file.subarray(0, 21).toString()).toBe("age-encryption.org/v1");
    expect((await whole(await decrypted(pieces(file), [KEY.identity]))).equals(data)).toBe(true);
  });

  test("by OpenSSL is that of RFC 8439", () => {
    const key = Buffer.from("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "hex");
    const cipher = chacha20poly1305(key, Buffer.from("070000004041424344454647", "hex"));
    const sealed = cipher.encrypt(Buffer.from("Ladies and Gentlemen"));
    // The first bytes of section 2.8.2, whose tag is another one, because age has no additional data.
    expect(Buffer.from(sealed).toString("hex")).toMatch(/^d31a8d34648e60db7b86afbc53ef7ec2/);
    expect(Buffer.from(cipher.decrypt(sealed)).toString()).toBe("Ladies and Gentlemen");
    sealed[3]! ^= 1;
    expect(() => cipher.decrypt(sealed)).toThrow("invalid tag");
  });
});

test("the file of a private key may have comments, and is never repeated", () => {
  const file = join(folder, "key");
  writeFileSync(file, `# created: today\n${KEY.identity}\n`);
  expect(readIdentities(file)).toEqual([KEY.identity]);
  writeFileSync(file, "hunter2\n");
  expect(() => readIdentities(file)).toThrow(NoIdentity);
  expect(() => readIdentities(file)).not.toThrow(/hunter2/);
  expect(() => readIdentities(join(folder, "other"))).toThrow("can't be read (ENOENT)");
});

test("the parts of an upload grow with the database, so that there are never too many", () => {
  expect(partBytes(0)).toBe(8 * 1024 ** 2);
  expect(partBytes(200e9)).toBeLessThan(25 * 1024 ** 2);
  expect(10_000 * partBytes(5e12)).toBeGreaterThan(5e12);
});

test("a dump in plain text whose bytes have changed is refused at its end, and by a check", async () => {
  const store = claimStore(folder, "backups");
  const file = "notes.dump";
  const checksum = createHash("sha256").update("PGDMP").digest("hex");
  const base = {
    version: 1,
    file,
    format: "custom",
    release: null,
    project: "n",
    stack: "s",
    app: "a",
    recipients: [],
  };
  const times = { begunAt: "2026-11-30T10:00:00.000Z", completedAt: "2026-11-30T10:05:00.000Z" };
  const of = { database: { name: "notes", bytes: 1 }, server: "17.1", client: "17.1", tables: {} };
  const known = { migrations: { fingerprint: "f", last: null, count: 0 }, contents: { entries: 1, tableData: 0 } };
  const manifest = { ...base, ...times, ...of, ...known, archiveBytes: 5, fileBytes: 5, checksum } as Manifest;
  await expect(readManifest(store, "notes")).rejects.toMatchObject({ code: "no-such-dump" });
  await store.write("notes.manifest.json", manifestText(manifest));
  for (const [text, right] of [
    ["PGDMP", true],
    ["PGDMQ", false],
    ["PGDM", false],
  ] as const) {
    await store.write(file, text);
    const read = async () => whole((await readDump(store, "notes", [])).archive);
    const checked = () => checkDump(store, manifest);
    if (right) await Promise.all([read(), checked()]);
    else for (const each of [read, checked]) await expect(each()).rejects.toMatchObject({ code: "dump-damaged" });
  }
});

describe("the connection of pg_dump", () => {
  test("means what the migrator's own does, whatever the password holds", async () => {
    const target = parseUrl("postgresql://notes:it's%20%24HOME%60%22@db:5433/notes?sslmode=require&options=-c%20a%3Db");
    const { variables, authorities } = await libpqConnection(target, target.password, "authorities");
    expect(variables).toMatchObject({ PGHOST: "db", PGPORT: "5433", PGSSLMODE: "require", PGOPTIONS: "-c a=b" });
    expect(authorities).toBeUndefined();
    expect(shellVariables({ PGPASSWORD: variables["PGPASSWORD"]! })).toBe(`export PGPASSWORD='it'\\''s $HOME\`"'\n`);
  });

  test("checks the server where the migrator does, with the same authorities", async () => {
    const target = parseUrl("postgresql://notes:secret@db/notes?sslmode=verify-full");
    const { variables, authorities } = await libpqConnection(target, target.password, "authorities");
    expect(variables).toMatchObject({ PGSSLMODE: "verify-full", PGSSLROOTCERT: "authorities" });
    expect(authorities).toContain("-----BEGIN CERTIFICATE-----");
  });
});
