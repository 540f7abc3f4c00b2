import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseUrl } from "../../../migrator/db/url";
import { BadUrl } from "../../../migrator/failures/connection";
import { scratch } from "../support";
import { certificateAuthority } from "./certificates";

test("a parameter that is not known is not repeated where it may be a part of a password", () => {
  const { remarks } = parseUrl("postgresql://u:x@h/db?sslmode=canary%3Dpw&canary%3Dpw=1&known_word=1");
  expect(remarks.join("\n")).not.toContain("canary");
  expect(remarks.join("\n")).toContain("known_word");
});

describe("a connection string is read as Prisma reads it", () => {
  test("with Prisma's defaults", () => {
    expect(parseUrl("postgresql:///")).toMatchObject({
      host: "localhost",
      port: 5432,
      database: "postgres",
      schema: "public",
      tlsMode: "prefer",
      connectTimeout: 5000,
      tls: { rejectUnauthorized: false },
      remarks: [],
    });
  });

  test.each([
    [
      "postgresql://u:p%40ss%2Fw%23rd@h:6543/db",
      { user: "u", password: "p@ss/w#rd", host: "h", port: 6543, database: "db" },
    ],
    ["postgres://u:100%25%zz@h/db", { password: "100%%zz" }],
    ["postgresql://u:p%C3%A4%F0%9F%90%98@h/db", { password: "pä🐘" }],
    ["postgresql://[2001:db8::1]:5433/db", { host: "2001:db8::1", port: 5433 }],
    ["postgresql:///db?host=%2Fvar%2Frun%2Fpostgresql", { host: "/var/run/postgresql", database: "db" }],
    ["postgresql://u:p@localhost/db?host=/var/run/postgresql", { host: "/var/run/postgresql" }],
    ["postgresql://u@%2Ftmp/db", { host: "/tmp" }],
    ["postgresql://h/db?schema=Täst%20%22x%22", { schema: 'Täst "x"' }],
    ["postgresql://h/db?connect_timeout=0", { connectTimeout: 0 }],
    [
      "postgresql://h/db?connect_timeout=30&connection_limit=5&pool_timeout=2&socket_timeout=3&statement_cache_size=0",
      { connectTimeout: 30_000, remarks: [] },
    ],
    ["postgresql://h/db?pgbouncer=true", { pooled: true }],
    ["postgresql://h/db?options=-c%20lock_timeout%3D5s", { options: "-c lock_timeout=5s" }],
    ["postgresql://h/db?application_name=x", { applicationName: "x" }],
    ["postgresql://h/db?sslmode=disable", { tlsMode: "disable" }],
    ["postgresql://h/db?sslmode=require", { tlsMode: "require", tls: { rejectUnauthorized: false } }],
    ["postgresql://h/db?sslmode=require&sslaccept=strict", { tls: { rejectUnauthorized: true } }],
    ["postgresql://h/db?sslmode=require&sslaccept=nonsense", { tls: { rejectUnauthorized: true } }],
    ["postgresql://h/db?sslmode=verify-full", { tlsMode: "verify-full", tls: { rejectUnauthorized: true } }],
  ])("%s", (url, expected) => expect(parseUrl(url)).toMatchObject(expected));

  test("names parameters that nobody knows, and passes over them", () => {
    expect(parseUrl("postgresql://h/db?sslmode=bogus&tpyo=1").remarks).toEqual([
      expect.stringContaining("sslmode=bogus"),
      expect.stringContaining("parameter tpyo"),
    ]);
  });

  test("with its certificates", () => {
    mkdirSync(join(scratch, "tls"), { recursive: true });
    const [authority, identity] = [join(scratch, "tls/ca.pem"), join(scratch, "tls/client.p12")];
    const { certificate } = certificateAuthority("Authority");
    writeFileSync(authority, `Comment\n${certificate}`);
    writeFileSync(identity, "P12");
    const { tls, authorities } = parseUrl(
      `postgresql://h/db?sslmode=verify-ca&sslcert=${authority}&sslidentity=${identity}&sslpassword=x%26y`,
    );
    expect(tls).toMatchObject({
      pfx: Buffer.from("P12"),
      passphrase: "x&y",
      rejectUnauthorized: true,
    });
    expect(authorities).toMatchObject({ named: "sslcert", certificates: [certificate.trim()] });
    expect(tls.checkServerIdentity?.("a", {} as never)).toBeUndefined();
  });

  test.each([
    ["mysql://u:canary-pw@h/db", "postgresql://"],
    ["canary-pw", "not a URL"],
    ["postgresql://u:canary-pw@h:99999/db", "not a URL"],
    ["postgresql://u:canary-pw@h/db?connect_timeout=soon", "connect_timeout"],
    ["postgresql://u:canary-pw@h/db?pgbouncer=yes", "pgbouncer"],
    ["postgresql://u:canary-pw@h/db?sslcert=/no/such/file", "/no/such/file"],
    ["postgresql://u:12/canary-pw@h:5432/db", "percent-encoded"],
    ["postgresql://u:12?canary-pw@h:5432/db", "percent-encoded"],
    ["postgresql://u:12#canary-pw@h:5432/db", "percent-encoded"],
    ["canary-pw:x@h/db", "postgresql://"],
  ])("wrong ones are refused without being repeated: %s", (url, reason) => {
    const failure = (() => {
      try {
        parseUrl(url);
      } catch (error) {
        return error as BadUrl;
      }
      throw new Error("accepted");
    })();
    expect(failure).toBeInstanceOf(BadUrl);
    expect(`${failure.message} ${failure.detail}`).toContain(reason);
    expect(JSON.stringify([failure.message, failure.detail, failure.next, failure.stack])).not.toContain("canary-pw");
  });
});
