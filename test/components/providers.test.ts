import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import {
  liveRelease,
  planBackup,
  Release,
  releaseConfig,
  releaseProviders,
  reviewGate,
  rolloutGate,
} from "../../components";
import { aws } from "../../settings/providers/aws";
import { kubernetes } from "../../settings/providers/kubernetes";
import { PulumiRecorder } from "../support/pulumi-recorder";

const HISTORY = {
  contract: true,
  migrations: [{ name: "1_init", sql: "", checksum: "" }],
  fingerprint: "f".repeat(64),
  payload: [Buffer.from("payload")],
};

const OWN = {
  "release:app": '{"name":"notes","image":"notes:1"}',
  "release:database": '{"identifier":"notes-db","secret":{"name":"notes-database"}}',
  "release:migrations": '{"directory":"migrations"}',
  "release:workloads": '[{"kind":"worker","name":"mailer"},{"kind":"cron","name":"nightly","schedule":"@daily"}]',
  "release:smoke": '{"command":"true"}',
  "release:report": '{"directory":"reports"}',
};

const AWS = {
  "aws:region": "eu-central-1",
  "aws:profile": "prod",
  "aws:allowedAccountIds": '["111122223333", 444455556666]',
  "aws:assumeRoles": '[{"roleArn":"arn:aws:iam::111122223333:role/release","externalId":"4711"}]',
  "aws:defaultTags": '{"tags":{"team":"notes"}}',
  "aws:endpoints": '[{"rds":"https://vpce-1.rds.eu-central-1.vpce.amazonaws.com"}]',
  "aws:maxRetries": "7",
  "aws:useFipsEndpoint": "true",
};

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  recorder.stdout = '{"objects":[]}';
  await recorder.start();
});

const read = (config: Record<string, string>, secretKeys: string[] = []) =>
  releaseConfig({ ...OWN, ...config }, { project: "release", stack: "prod", secretKeys });

/** Runs what the program runs, with everything that a release can have. */
async function release(config: Record<string, string>): Promise<void> {
  const { settings, providers: access } = read(config);
  const { aws, kubernetes, command } = releaseProviders(access);
  const review = await reviewGate(settings, HISTORY, await liveRelease(settings));
  const reader = { script: "", stack: "test", directory: "/tmp/reports" };
  await rolloutGate(settings, HISTORY, reader, { provider: command });
  const backup = await planBackup(settings, HISTORY, { provider: aws });
  const made = new Release(
    "notes",
    { settings, history: HISTORY, migrator: "", review, backup, reader },
    { providers: { aws, kubernetes, command } },
  );
  await new Promise((resolve) => made.outputs.apply(resolve));
  await pulumi.runtime.disconnect();
}

const packageOf = (token: string) => token.split(":")[0]!;
const PROVIDERS: Record<string, string> = { aws: "account", kubernetes: "cluster", command: "machine" };
const expected = (token: string) =>
  expect.stringMatching(`pulumi:providers:${packageOf(token)}::${PROVIDERS[packageOf(token)]}::`);

test.each(["instance", "cluster"])(
  "every resource of a release of an %s, and every question, uses the provider that the program made",
  async (kind) => {
    await release({ ...AWS, "release:database": OWN["release:database"].replace("{", `{"kind":"${kind}",`) });
    const custom = recorder.registrations.filter(({ type }) => packageOf(type) in PROVIDERS);
    expect(new Set(custom.map(({ type }) => packageOf(type)))).toEqual(new Set(Object.keys(PROVIDERS)));
    for (const { type, options } of custom) expect([type, options.provider]).toEqual([type, expected(type)]);
    const calls = recorder.calls.filter(({ token }) => packageOf(token) !== "pulumi");
    expect(new Set(calls.map(({ token }) => packageOf(token)))).toEqual(new Set(["aws", "command"]));
    for (const { token, provider } of calls) expect([token, provider]).toEqual([token, expected(token)]);
  },
);

test("the keys of the stack's file reach the AWS provider as the default provider would get them", async () => {
  await release(AWS);
  const { inputs } = recorder.only("pulumi:providers:aws");
  expect(inputs).toMatchObject({
    region: "eu-central-1",
    profile: "prod",
    allowedAccountIds: '["111122223333","444455556666"]',
    assumeRoles: '[{"roleArn":"arn:aws:iam::111122223333:role/release","externalId":"4711"}]',
    defaultTags: '{"tags":{"team":"notes"}}',
    endpoints: '[{"rds":"https://vpce-1.rds.eu-central-1.vpce.amazonaws.com"}]',
    maxRetries: "7",
    useFipsEndpoint: "true",
  });
});

test("the keys of the stack's file reach the Kubernetes provider, and the kubeconfig stays secret", async () => {
  const kubeconfig = '{"apiVersion":"v1","clusters":[]}';
  const given = { "kubernetes:context": "prod", "kubernetes:kubeconfig": kubeconfig, "kubernetes:namespace": "notes" };
  await release({ ...given, "kubernetes:kubeClientSettings": '{"qps":50}', "kubernetes:enablePatchForce": "false" });
  const { inputs } = recorder.only("pulumi:providers:kubernetes");
  expect(inputs).toMatchObject({
    context: "prod",
    namespace: "notes",
    upsertExistingObjects: "true",
    enablePatchForce: "false",
    kubeClientSettings: '{"qps":50}',
  });
  expect(inputs["kubeconfig"]).toMatchObject({ value: kubeconfig });
});

test("credentials that were set with --secret are accepted, and stay secret", async () => {
  const { providers } = read({ "aws:token": "hunter2", "aws:profile": "hunter3" }, ["aws:token", "aws:profile"]);
  releaseProviders(providers);
  await pulumi.runtime.disconnect();
  const { inputs } = recorder.only("pulumi:providers:aws");
  expect(inputs).toMatchObject({ token: { value: "hunter2" }, profile: { value: "hunter3" } });
});

describe("the keys are the providers' own", () => {
  test.each([
    ["aws", aws],
    ["kubernetes", kubernetes],
  ])("of %s, all and no others", (name, schemas) => {
    const types = readFileSync(join(__dirname, `../../node_modules/@pulumi/${name}/provider.d.ts`), "utf8");
    const args = /interface ProviderArgs \{([\s\S]*?)\n\}/.exec(types)![1]!;
    const own = [...args.matchAll(/^ {4}(\w+)\?:/gm)].map(([, key]) => key!);
    expect(Object.keys(schemas).sort()).toEqual(own.sort());
  });
});
