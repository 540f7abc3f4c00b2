import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { iamToken, signingRegion } from "../../../migrator/db/iam-token";
import { credentials, podIdentityStandIn, stsStandIn, tokenProblem } from "../../support/iam-stand-in";
import { scratch } from "../support";

const HOST = "notes-db.c1a2b3.eu-west-1.rds.amazonaws.com";
const given = credentials();
const rules = { ...given, host: HOST, port: () => 5432, region: "eu-west-1" };
const login = { host: HOST, port: 5432, user: "notes+migration" };

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  // No file of the machine, and no metadata service, gives credentials to a test.
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", join(scratch, "none"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(scratch, "none"));
});
afterEach(() => vi.unstubAllEnvs());

function tokenFile(): { token: string; file: string } {
  const file = join(scratch, "service-account-token");
  writeFileSync(file, "token-of-the-pod");
  return { token: "token-of-the-pod", file };
}

/** The variables that the EKS webhook sets in a pod whose service account has an IAM role. */
async function irsa(url: string, file: string): Promise<void> {
  vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/notes");
  vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", file);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ENDPOINT_URL_STS", url);
}

describe("a token for an IAM login", () => {
  test("is a presigned URL as RDS wants it, with credentials of IRSA from a stand-in for STS", async () => {
    const { token, file } = tokenFile();
    const sts = await stsStandIn(token, given);
    try {
      await irsa(sts.url, file);
      const made = await iamToken(login);
      expect(tokenProblem(made, login.user, rules)).toBeUndefined();
      expect(sts.asked.map(({ body }) => new URLSearchParams(body).get("RoleArn"))).toEqual([
        "arn:aws:iam::123456789012:role/notes",
      ]);
    } finally {
      sts.close();
    }
  });

  test("is made with credentials of EKS Pod Identity, from a stand-in for its agent", async () => {
    const { token, file } = tokenFile();
    const agent = await podIdentityStandIn(token, given);
    try {
      vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${agent.url}/v1/credentials`);
      vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file);
      expect(tokenProblem(await iamToken(login), login.user, rules)).toBeUndefined();
      expect(agent.asked.map(({ path }) => path)).toEqual(["/v1/credentials"]);
    } finally {
      agent.close();
    }
  });

  test("is refused by the stand-in for RDS when it is old, for another server or user, or signed by another", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", given.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", given.secretAccessKey);
    vi.stubEnv("AWS_SESSION_TOKEN", given.sessionToken);
    const token = await iamToken(login);
    const later = (minutes: number) => tokenProblem(token, login.user, rules, Date.now() + minutes * 60_000);
    expect(later(14)).toBeUndefined();
    expect(later(16)).toContain("it holds for 15 minutes");
    expect(tokenProblem(token, "notes", rules)).toContain("DBUser is notes+migration");
    expect(tokenProblem(token, login.user, { ...rules, host: "other" })).toContain("it is not for other:5432");
    expect(tokenProblem(token, login.user, { ...rules, region: "eu-west-2" })).toContain("X-Amz-Credential");
    expect(tokenProblem(token, login.user, { ...rules, secretAccessKey: "x" })).toBe("its signature is wrong");
    expect(tokenProblem(token.replace("Expires=900", "Expires=9000"), login.user, rules)).toContain("X-Amz-Expires");
  });
});

describe("without credentials there is no token", () => {
  const failure = (of = login) =>
    iamToken(of).then(
      () => expect.unreachable("there was a token"),
      (error) => error,
    );

  test("and the message says where a pod gets them", async () => {
    const { code, message, next } = await failure();
    expect(code).toBe("no-token");
    expect(message).toMatch(/no IAM token for the role "notes\+migration", because AWS gave no credentials: .+/);
    expect(next).toMatch(/migrations\.serviceAccount; EKS Pod Identity association, or IRSA's annotation/);
  });

  test("if STS refuses the service account", async () => {
    const { file } = tokenFile();
    const sts = await stsStandIn("another token", given);
    try {
      await irsa(sts.url, file);
      const { message } = await failure();
      expect(message).toContain("Not authorized to perform sts:AssumeRoleWithWebIdentity");
      expect(message).not.toContain("token-of-the-pod");
    } finally {
      sts.close();
    }
  });

  test("if the host names no region", async () => {
    const { message, next } = await failure({ ...login, host: "db.internal" });
    expect(message).toContain("the host db.internal names no region and AWS_REGION is not set");
    expect(next).toContain("give the endpoint of RDS itself");
  });
});

test.each([
  [HOST, {}, "eu-west-1"],
  ["notes.cluster-c1a2b3.US-GOV-WEST-1.rds.amazonaws.com", { AWS_REGION: "eu-west-1" }, "us-gov-west-1"],
  ["notes.c1a2b3.rds.cn-north-1.amazonaws.com.cn", {}, "cn-north-1"],
  ["notes.global-abc.global.rds.amazonaws.com", { AWS_REGION: "eu-west-1" }, "eu-west-1"],
  ["db.internal", { AWS_DEFAULT_REGION: "eu-west-2" }, "eu-west-2"],
  ["db.internal", { AWS_REGION: "" }, undefined],
])("the region of %s with %o is %s", (host, environment, region) =>
  expect(signingRegion(host, environment)).toBe(region),
);
