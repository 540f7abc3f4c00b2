import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksumOf, type Migration } from "../../../migrations/history/history";
import { decodePayload, encodePayload, PayloadError, payloadPieceBytes } from "../../../migrations/history/payload";

const migration = (name: string, sql: string): Migration => ({ name, sql, checksum: checksumOf(sql) });
const text = fc.string({ unit: "grapheme" });
const history = fc.array(fc.tuple(text, text).map(([name, sql]) => migration(name, sql)));

describe("the payload", () => {
  test("brings every history and plan back as it was, from the same bytes each time", () => {
    fc.assert(
      fc.property(history, fc.option(fc.jsonValue(), { nil: undefined }), (migrations, plan) => {
        const pieces = encodePayload(migrations, plan);
        const back = decodePayload(pieces);
        expect(back.migrations).toEqual(migrations);
        expect(back.plan).toEqual(plan === undefined ? undefined : JSON.parse(JSON.stringify(plan)));
        expect(Buffer.concat(encodePayload(migrations, plan))).toEqual(Buffer.concat(pieces));
      }),
    );
  });

  test("takes 10 MiB of SQL that can't be compressed, in pieces that fit into a ConfigMap", () => {
    const sql = `-- ${randomBytes(7.5 * 1024 * 1024).toString("base64")}`;
    expect(sql.length).toBeGreaterThanOrEqual(10 * 1024 * 1024);
    const migrations = [migration("1_big", sql), migration("2_small", "SELECT 1;")];
    const pieces = encodePayload(migrations);
    expect(pieces.length).toBeGreaterThan(9);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(payloadPieceBytes);
    expect(decodePayload(pieces).migrations).toEqual(migrations);
  });

  test("is the same on every operating system", () => {
    expect(encodePayload([])[0]?.[9]).toBe(255);
    expect(encodePayload([])[0]?.readUInt32LE(4)).toBe(0);
  });

  test("a piece that is missing, out of order or changed is noticed", () => {
    const pieces = encodePayload([migration("1_big", randomBytes(2 * 1024 * 1024).toString("base64"))]);
    const [first, second, ...rest] = pieces as [Buffer, Buffer, ...Buffer[]];
    expect(() => decodePayload(pieces.slice(0, -1))).toThrow(PayloadError);
    expect(() => decodePayload([second, first, ...rest])).toThrow(PayloadError);
    expect(() => decodePayload([])).toThrow(PayloadError);
    expect(() => decodePayload([gzipSync('{"migrations":[{"name":"a"}]}')])).toThrow(/another version/);
    const forged = encodePayload([{ name: "1_a", sql: "DROP TABLE a;", checksum: checksumOf("SELECT 1;") }]);
    expect(() => decodePayload(forged)).toThrow(/1_a has checksum/);
  });
});
