import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { DescribeDBInstancesCommand } from "@aws-sdk/client-rds";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { CommandFailure } from "../../../by-hand/failure";
import { rdsAccess } from "../../../by-hand/rds/access";

/** A stand-in for STS and RDS: it answers roles with keys of their names, and tells who asked. */
let server: Server;
let url: string;
let asked: { action: string; by: string; role: string | null; session: string | null }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => void text(request).then((body) => answer(request, response, body)));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const parameters = new URLSearchParams(body);
  const [, by = ""] = /Credential=([^/]+\/\d+\/[^/]+\/[^/]+)/.exec(request.headers.authorization ?? "") ?? [];
  const action = parameters.get("Action") ?? "";
  const role = parameters.get("RoleArn");
  asked.push({ action, by: by.replace(/\/\d+\//, " "), role, session: parameters.get("RoleSessionName") });
  const key = `<AccessKeyId>KEYOF${role?.split("/")[1]}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`;
  const credentials = `<Credentials>${key}<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`;
  const result = role ? credentials : "<DBInstances/>";
  response.writeHead(200, { "content-type": "text/xml" });
  response.end(`<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`);
}
afterAll(() => new Promise((closed) => server.close(closed)));
beforeEach(() => {
  asked = [];
  vi.stubEnv("AWS_ACCESS_KEY_ID", "OWN");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  vi.stubEnv("AWS_REGION", "us-west-2");
});
afterEach(() => vi.unstubAllEnvs());

const access = (config: Record<string, unknown>) =>
  rdsAccess({ name: "prod", config: new Map(Object.entries(config)) as never });
const ask = (config: Record<string, unknown>) => access(config).client.send(new DescribeDBInstancesCommand({}));

test("RDS is asked in the stack's region, at its endpoint, with the credentials of the environment", async () => {
  await ask({ "aws:region": "eu-central-1", "aws:endpoints": [{ rds: url }], "release:app": { name: "notes" } });
  await ask({ "aws:endpoints": [{ rds: url }] });
  expect(asked.map(({ action, by }) => [action, by])).toEqual([
    ["DescribeDBInstances", "OWN eu-central-1/rds"],
    ["DescribeDBInstances", "OWN us-west-2/rds"],
  ]);
});

test("one role after the other is assumed, each with the credentials of the one before", async () => {
  await ask({
    "aws:region": "eu-central-1",
    "aws:endpoints": [{ rds: url, sts: url }],
    "aws:assumeRoles": [
      { roleArn: "arn:aws:iam::111122223333:role/FIRST", duration: "15m" },
      { roleArn: "arn:aws:iam::111122223333:role/SECOND", sessionName: "ci", externalId: "x" },
    ],
  });
  expect(asked).toEqual([
    {
      action: "AssumeRole",
      by: "OWN eu-central-1/sts",
      role: expect.stringMatching(/FIRST$/),
      session: "postgres-release",
    },
    { action: "AssumeRole", by: "KEYOFFIRST eu-central-1/sts", role: expect.stringMatching(/SECOND$/), session: "ci" },
    { action: "DescribeDBInstances", by: "KEYOFSECOND eu-central-1/rds", role: null, session: null },
  ]);
});

test("the accounts of the settings are kept for the check of the source", () => {
  const { allowed, forbidden } = access({ "aws:allowedAccountIds": ["111122223333"] });
  expect([allowed, forbidden]).toEqual([["111122223333"], []]);
});

test("what is wrong, encrypted or can't be followed is told at once, with what to do", () => {
  try {
    access({ "aws:region": "here", "aws:secretKey": { secure: "v1:x" }, "aws:profil": "ops" });
    throw new Error("nothing is wrong with it");
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    expect(error.message).toMatch(/3 invalid settings of stack "prod"\.[\s\S]*aws:region[\s\S]*aws:profil/);
    expect(error.message).toContain("aws:secretKey is encrypted, and only Pulumi can read it");
  }
  expect(() => access({ "aws:httpsProxy": "http://proxy:3128" })).toThrow("this command can't go through a proxy");
});
