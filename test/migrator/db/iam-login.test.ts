import dns from "node:dns";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Session } from "../../../migrator/db/connection";
import { parseUrl } from "../../../migrator/db/url";
import { credentials, podIdentityStandIn, rdsStandIn, tokenProblem } from "../../support/iam-stand-in";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, query, scratch, startMigrator, until } from "../support";
import { type AmazonStandIn, amazonStandIn, RDS_HOST } from "./amazon-stand-in";

// Nothing here is Amazon's: the front of RDS, the agent of EKS Pod Identity and the authority are stand-ins.

const REGION = "eu-west-1";
const USER = "notes_migration";
const given = credentials();
const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });

let world: AmazonStandIn;
let server: TestServer;
let database: string;
let rds: Awaited<ReturnType<typeof rdsStandIn>>;
let agent: Awaited<ReturnType<typeof podIdentityStandIn>>;
const tokenFile = join(scratch, "pod-identity-token");

beforeAll(async () => {
  world = amazonStandIn();
  // What is behind the stand-in trusts it, as RDS trusts a token.
  server = await startServer({ access: ["host all all 127.0.0.1/32 trust"] });
  await query(server.url, `CREATE ROLE ${USER} LOGIN CREATEDB`);
  writeFileSync(tokenFile, "token-of-the-pod");
  agent = await podIdentityStandIn("token-of-the-pod", given);
}, 60_000);
afterAll(async () => {
  agent?.close();
  await server?.stop();
});
beforeEach(async () => {
  const url = await server.createDatabase();
  database = url.split("/").at(-1)!;
  await query(url, `GRANT ALL ON SCHEMA public TO ${USER}; GRANT CREATE ON DATABASE ${database} TO ${USER}`);
  const identity = world.authority.issue("rds", [RDS_HOST]);
  rds = await rdsStandIn(server.port, { ...identity, ...given, host: RDS_HOST, region: REGION });
});
afterEach(() => rds.close());

/** The variables that the agent of EKS Pod Identity sets in a pod. */
const podIdentity = (): Record<string, string> => ({
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.url}/v1/credentials`,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
});
/** No credentials of the machine on which the test runs. */
const NOTHING = {
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: join(scratch, "none"),
  AWS_SHARED_CREDENTIALS_FILE: join(scratch, "none"),
};

function migrator(verb: string, args: string[] = [], environment: Record<string, string> = podIdentity()) {
  const connection = { PGHOST: RDS_HOST, PGPORT: String(rds.port), PGUSER: USER, PGDATABASE: database };
  const all = { ...NOTHING, ...world.environment, ...connection, ...environment };
  return startMigrator([verb, "--migrations", directory, ...args], all, world.bundle).ended;
}
const byIam = (verb: string, args: string[] = [], environment?: Record<string, string>) =>
  migrator(verb, ["--auth", "iam", ...args], environment);

describe("a login by IAM", () => {
  test("deploys with tokens made from the credentials of EKS Pod Identity, by verified TLS", async () => {
    const { exit, output } = await byIam("preflight");
    expect({ exit, output }).toMatchObject({ exit: 0 });
    expect(output).toContain("encrypted and verified (sslmode=verify-full)");
    expect(await byIam("deploy")).toMatchObject({ exit: 0 });
    expect(rds.logins.length).toBeGreaterThan(1);
    expect(rds.logins.filter(({ problem, user }) => problem !== undefined || user !== USER)).toEqual([]);
    for (const { token } of rds.logins) expect(output).not.toContain(token.slice(-64));
  });

  test("makes a new token for each connection", async () => {
    for (const [name, value] of Object.entries({ ...NOTHING, ...podIdentity() })) vi.stubEnv(name, value);
    const lookup = dns.lookup.bind(dns) as (...all: unknown[]) => void;
    const names = vi
      .spyOn(dns, "lookup")
      .mockImplementation(((host: string, ...rest: unknown[]) =>
        lookup(host === RDS_HOST ? "127.0.0.1" : host, ...rest)) as never);
    writeFileSync(join(scratch, "amazon.pem"), world.authority.certificate);
    try {
      const target = parseUrl(`postgresql://${USER}@${RDS_HOST}:${rds.port}/${database}?sslmode=verify-full`, {
        auth: "iam",
        rootCertificate: join(scratch, "amazon.pem"),
      });
      const connect = async () => (await Session.open(target, { applicationName: "test", connectWait: 0 })).close();
      await connect();
      // Two tokens of the same second are the same.
      const second = Math.floor(Date.now() / 1000);
      await until(() => Math.floor(Date.now() / 1000) > second, "the next second");
      await connect();
      expect(rds.logins.map(({ problem }) => problem)).toEqual([undefined, undefined]);
      expect(rds.logins[0]!.token).not.toBe(rds.logins[1]!.token);
    } finally {
      names.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  test("hands the app's own command a token as its password, and never shows it", async () => {
    const seen = join(scratch, "seen-url");
    const script = `const u = process.env.DATABASE_URL; require("fs").writeFileSync(${JSON.stringify(seen)}, u); console.log(u); console.log(decodeURIComponent(new URL(u).password))`;
    const { output } = await byIam("run", ["--", process.execPath, "-e", script]);
    const url = new URL(readFileSync(seen, "utf8"));
    const token = decodeURIComponent(url.password);
    expect(
      tokenProblem(token, USER, { ...given, host: RDS_HOST, port: () => rds.port, region: REGION }),
    ).toBeUndefined();
    expect(url.searchParams.get("options")).toContain("lock_timeout");
    expect(output).toContain("| ***");
    expect(output).not.toContain("X-Amz-Signature");
  });
});

describe("a login by IAM is refused with what to check", () => {
  const refused = async (environment?: Record<string, string>, args: string[] = []) => {
    const { exit, output } = await byIam("status", args, environment);
    expect(output).toMatch(/\nDatabase: .*\nApp: .*\nNext: .*, then: npm run migrator/);
    expect(output).not.toMatch(/X-Amz-Signature|secret-|session-|token-of-the-pod/);
    return { exit, output };
  };

  test("if RDS doesn't take the token", async () => {
    rds.close();
    const identity = world.authority.issue("rds", [RDS_HOST]);
    rds = await rdsStandIn(server.port, { ...identity, ...credentials(), host: RDS_HOST, region: REGION });
    const { exit, output } = await refused();
    expect(exit).toBe(3);
    expect(output).toContain("FAILED (login-refused)");
    expect(output).toContain(`PAM authentication failed for user "${USER}"`);
    expect(output).toContain(`GRANT rds_iam TO "${USER}";`);
    expect(output).toContain(`arn:aws:rds-db:eu-west-1:ACCOUNT:dbuser:RESOURCE/${USER}`);
  });

  test("if the token is older than 15 minutes", async () => {
    rds.ahead(16 * 60_000);
    expect((await refused()).output).toContain("the clocks of node and server differ by less than 15 minutes");
    expect(rds.logins[0]!.problem).toContain("it holds for 15 minutes");
  });

  test("if the pod has no credentials", async () => {
    const { exit, output } = await refused({});
    expect(exit).toBe(3);
    expect(output).toContain("FAILED (no-token)");
    expect(output).toContain("setting migrations.serviceAccount");
    expect(rds.logins).toEqual([]);
  });

  test.each(["disable", "prefer"])("if it would go without TLS (sslmode=%s)", async (mode) => {
    const { exit, output } = await refused(undefined, ["--parameter", `sslmode=${mode}`]);
    expect(exit).toBe(2);
    expect(output).toContain(`sslmode of the connection must be verify-full, verify-ca or require, and not ${mode}`);
    expect(rds.logins).toEqual([]);
  });

  test("if RDS Proxy is in between", async () => {
    const host = "notes.proxy-c1a2b3.eu-west-1.rds.amazonaws.com";
    expect((await refused({ ...podIdentity(), PGHOST: host })).output).toContain("RDS Proxy, by the host's name");
  });
});

test("a password for a role that has rds_iam is refused with both ways out", async () => {
  const { exit, output } = await migrator("status", ["--parameter", "sslmode=verify-full"], {
    PGPASSWORD: "a password",
  });
  expect(exit).toBe(3);
  expect(output).toContain("PAM authentication failed");
  expect(output).toMatch(/Next: log in by IAM \(setting database\.auth: iam.*REVOKE rds_iam FROM "notes_migration"/);
});

test("an unknown way to log in is a mistake", async () => {
  const { exit, output } = await migrator("status", ["--auth", "kerberos"]);
  expect({ exit, output }).toMatchObject({ exit: 2, output: expect.stringContaining('--auth is "kerberos"') });
});
