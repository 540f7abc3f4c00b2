import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../../support/server";
import { type Ended, historyOf, migrate, query, reportedChecks, scratch, startMigrator } from "../support";
import { certificateAuthority, pkcs12 } from "./certificates";

/** One user must show a certificate, one comes with TLS and a password, one without TLS. */
const ACCESS = [
  "hostssl all cert_user 127.0.0.1/32 cert",
  "hostnossl all plain_user 127.0.0.1/32 scram-sha-256",
  "hostnossl all postgres 127.0.0.1/32 scram-sha-256",
  "hostssl all tls_user 127.0.0.1/32 scram-sha-256",
];

let server: TestServer;
let without: TestServer;
let url: string;
let directory: string;
const file = (name: string) => join(scratch, "tls", name);

beforeAll(async () => {
  mkdirSync(join(scratch, "tls"));
  const authority = certificateAuthority("Test authority");
  const identity = authority.issue("localhost", ["localhost"]);
  const person = authority.issue("cert_user");
  writeFileSync(file("authority.pem"), authority.certificate);
  writeFileSync(file("stranger.pem"), certificateAuthority("Stranger").certificate);
  // As Amazon's bundle for all regions: many authorities in one file, of which one is the right one.
  const others = [certificateAuthority("Region 1"), certificateAuthority("Region 2")];
  writeFileSync(file("bundle.pem"), [...others, authority].map((each) => each.certificate).join("\n"));
  writeFileSync(file("person.p12"), pkcs12(person, "p12 password"));
  writeFileSync(file("no.p12"), "no certificate");
  [server, without] = await Promise.all([
    startServer({
      settings: { ssl: "on", ssl_ca_file: "ca.pem" },
      access: ACCESS,
      files: { "server.crt": identity.certificate, "server.key": identity.key, "ca.pem": authority.certificate },
    }),
    startServer(),
  ]);
  url = await server.createDatabase();
  await query(
    url,
    "CREATE ROLE cert_user LOGIN; CREATE ROLE tls_user LOGIN PASSWORD 'tls-password'; CREATE ROLE plain_user LOGIN PASSWORD 'plain-password'; GRANT ALL ON SCHEMA public TO PUBLIC",
  );
  directory = historyOf({ "1_a": "CREATE TABLE IF NOT EXISTS seen (by text);" });
}, 120_000);
afterAll(async () => {
  await Promise.all([server?.stop(), without?.stop()]);
});

const as = (user: string, parameters: string, host = "127.0.0.1") =>
  `${url.replace("postgres:test-password", user).replace("127.0.0.1", host)}?${parameters}`;
const secret = "tls_user:tls-password";
const root = (name = "authority.pem") => `sslrootcert=${encodeURIComponent(file(name))}`;

/** The connection as the report tells of it. */
async function look(target: string): Promise<Ended & { tls: string }> {
  const { exit, output } = await migrate(target, directory, "preflight", "--check", "permissions=off");
  return { exit, output, tls: JSON.stringify(reportedChecks(output).find(({ name }) => name === "tls") ?? null) };
}

const threeParts = /FAILED \((\S+)\): .*[\s\S]*\nDatabase: .*\nApp: .*\nNext: .*/;

describe("a server with TLS", () => {
  test.each([
    ["sslmode=disable", "127.0.0.1", "plain_user:plain-password", "not encrypted"],
    ["", "127.0.0.1", secret, "encrypted, not verified"],
    ["sslmode=prefer", "127.0.0.1", secret, "encrypted, not verified"],
    ["sslmode=require", "127.0.0.1", secret, "encrypted, not verified"],
    [`sslmode=verify-ca&ROOT`, "127.0.0.1", secret, "encrypted and verified (sslmode=verify-ca)"],
    [`sslmode=verify-full&ROOT`, "localhost", secret, "encrypted and verified (sslmode=verify-full)"],
    [`sslmode=require&sslaccept=strict&ROOT`, "localhost", secret, "encrypted and verified (sslmode=require)"],
    // Prisma calls the authority's file `sslcert`.
    [`sslmode=require&sslaccept=strict&CERT`, "localhost", secret, "encrypted and verified (sslmode=require)"],
    [`sslmode=verify-full&BUNDLE`, "localhost", secret, "encrypted and verified (sslmode=verify-full)"],
  ])("is connected to with %s on %s", async (mode, host, user, expected) => {
    const parameters = mode
      .replace("ROOT", root())
      .replace("CERT", root().replace("sslrootcert", "sslcert"))
      .replace("BUNDLE", root("bundle.pem"));
    const { exit, tls, output } = await look(as(user, parameters, host));
    expect({ exit, output }).toMatchObject({ exit: 0 });
    expect(tls).toContain(expected);
    if (!expected.includes("and verified")) expect(tls).toContain("say sslmode=verify-full in the connection string");
  });

  test.each([
    ["another authority", "sslmode=verify-full&STRANGER", "localhost", "SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_"],
    ["another authority, name not looked at", "sslmode=verify-ca&STRANGER", "localhost", "SELF_SIGNED|UNABLE_TO_"],
    ["no authority but the machine's", "sslmode=verify-full", "localhost", "SELF_SIGNED|UNABLE_TO_"],
    ["another host name", "sslmode=verify-full&ROOT", "127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
    ["another host name, as Prisma says it", "sslmode=require&sslaccept=strict&ROOT", "127.0.0.1", "ALTNAME"],
  ])("is refused with %s", async (_name, mode, host, reason) => {
    const parameters = mode.replace("ROOT", root()).replace("STRANGER", root("stranger.pem"));
    const { exit, output } = await migrate(as(secret, parameters, host), directory, "preflight");
    expect(exit).toBe(3);
    expect(threeParts.exec(output)?.[1]).toBe("tls");
    expect(output).toMatch(new RegExp(reason));
    expect(output).not.toContain("rds.amazonaws.com");
    expect(output).not.toContain("tls-password");
  });

  test("that wants a certificate gets the one of sslidentity", async () => {
    const identity = (name: string, password: string) =>
      `sslmode=require&sslidentity=${encodeURIComponent(file(name))}&sslpassword=${encodeURIComponent(password)}`;
    expect(await migrate(as("cert_user", identity("person.p12", "p12 password")), directory, "status")).toMatchObject({
      exit: 10,
    });
    const without = await migrate(as("cert_user", "sslmode=require"), directory, "status");
    expect(without.exit).toBe(3);
    expect(threeParts.exec(without.output)?.[1]).toBe("login-refused");
    for (const wrong of [identity("person.p12", "wrong"), identity("no.p12", "p12 password")]) {
      const { exit, output } = await migrate(as("cert_user", wrong), directory, "status");
      expect({ exit, output }).toMatchObject({ exit: 2, output: expect.stringContaining("sslidentity") });
      expect(threeParts.exec(output)?.[1]).toBe("bad-url");
      expect(output).not.toContain("p12 password");
    }
  });

  test("that lets a user in only without is told apart from a wrong password", async () => {
    const { exit, output } = await migrate(as("plain_user:plain-password", "sslmode=require"), directory, "status");
    expect(exit).toBe(3);
    expect(output).toMatch(threeParts);
    expect(output).toMatch(/pg_hba|no encryption|SSL|password/);
  });

  test("is stopped at by SIGTERM as any other: the request to cancel goes by TLS too", async () => {
    const running = startMigrator(
      ["deploy", "--migrations", historyOf({ "1_a": "SELECT pg_sleep(30);" }), "--check", "drift=off"],
      { DATABASE_URL: as(secret, `sslmode=verify-full&${root()}`, "localhost") },
    );
    const sleeping = "SELECT FROM pg_stat_activity WHERE usename = 'tls_user' AND query LIKE '%pg_sleep(30)%'";
    for (let tries = 0; tries < 400 && (await query(url, sleeping)).length === 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const began = Date.now();
    running.child.kill("SIGTERM");
    expect((await running.ended).exit).toBe(143);
    expect(Date.now() - began).toBeLessThan(8000);
  });
});

describe("a server without TLS", () => {
  const plain = (parameters: string) => `${without.url}?${parameters}`;

  test("is connected to with sslmode=prefer, and preflight says that nothing is encrypted", async () => {
    const { exit, output, tls } = await look(plain("sslmode=prefer"));
    expect({ exit, output }).toMatchObject({ exit: 0 });
    expect(tls).toContain("not encrypted");
    expect((await migrate(plain("sslmode=prefer"), directory, "preflight", "--check", "tls=fail")).exit).toBe(3);
  });

  test.each(["require", "verify-ca", "verify-full"])("is refused with sslmode=%s", async (mode) => {
    const { exit, output } = await migrate(plain(`sslmode=${mode}`), directory, "status");
    expect(exit).toBe(3);
    expect(threeParts.exec(output)?.[1]).toBe("tls");
    expect(output).toContain("the server offers no TLS");
  });
});
