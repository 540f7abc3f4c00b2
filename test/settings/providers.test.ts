import { expect, test } from "vitest";
import { isProviderKey, parseProviders } from "../../settings/providers/providers";

const problems = (raw: Record<string, unknown>, secrets: string[] = []) =>
  parseProviders(raw, secrets).mistakes.map(({ text }) => text);

test.each([
  [{ "aws:region": "Frankfurt" }, 'aws:region is "Frankfurt"; it must be a region of AWS such as eu-central-1'],
  [{ "aws:regoin": "eu-central-1" }, /^unknown setting aws:regoin; did you mean aws:region\? allowed: aws:accessKey, /],
  [{ "aws:assumeRole": [] }, /^unknown setting aws:assumeRole; did you mean aws:assumeRoles\?/],
  [
    { "aws:allowedAccountIds": [12345] },
    "aws:allowedAccountIds.0 is 12345; it must be a list of account ids, 12 digits each and in quotes",
  ],
  [
    { "aws:allowedAccountIds": "111122223333" },
    'aws:allowedAccountIds is "111122223333"; it must be a list of account ids, 12 digits each and in quotes',
  ],
  [
    { "aws:allowedAccountIds": [] },
    "aws:allowedAccountIds is []; it must be a list of account ids, 12 digits each and in quotes",
  ],
  [
    { "aws:assumeRoles": [{ roleArn: "release" }] },
    'aws:assumeRoles.0.roleArn is "release"; it must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME',
  ],
  [
    { "aws:assumeRoles": [{}] },
    "aws:assumeRoles.0.roleArn is missing; it must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME",
  ],
  [
    { "aws:assumeRoles": [{ roleArn: "arn:aws:iam::111122223333:role/a", external: "x" }] },
    /^unknown setting aws:assumeRoles\.0\.external; did you mean aws:assumeRoles\.0\.externalId\?/,
  ],
  [
    { "aws:assumeRoles": { roleArn: "arn:aws:iam::111122223333:role/a" } },
    /^aws:assumeRoles is .*; it must be a list of roles such as/,
  ],
  [{ "aws:defaultTags": { tags: ["notes"] } }, 'aws:defaultTags.tags is ["notes"]; it must be names with a text each'],
  [{ "aws:retryMode": "often" }, 'aws:retryMode is "often"; it must be "standard" or "adaptive"'],
  [{ "aws:maxRetries": "many" }, 'aws:maxRetries is "many"; it must be a whole number, 0 or more'],
  [{ "aws:useFipsEndpoint": "yes" }, 'aws:useFipsEndpoint is "yes"; it must be true or false'],
  [
    { "aws:endpoints": [{ rds: "vpce-1" }] },
    'aws:endpoints.0.rds is "vpce-1"; it must be an address that begins with http:// or https://',
  ],
  [{ "aws:secretKey": "hunter2" }, /^aws:secretKey is in plain text; it must be set with `pulumi config set --secret`/],
  [
    { "aws:allowedAccountIds": ["111122223333"], "aws:forbiddenAccountIds": ["111122223334"] },
    "aws:forbiddenAccountIds must be left out with aws:allowedAccountIds",
  ],
  [
    { "aws:allowedAccountIds": ["111122223333"], "aws:skipRequestingAccountId": "true" },
    /^aws:skipRequestingAccountId is true; it must be false or left out/,
  ],
  [
    { "kubernetes:enableServerSideApply": "false" },
    /^kubernetes:enableServerSideApply is "false"; it must be left out, or true: the release finds/,
  ],
  [
    { "kubernetes:upsertExistingObjects": "false" },
    /^kubernetes:upsertExistingObjects is "false"; it must be left out, or true: it lets `up` take over/,
  ],
  [
    { "kubernetes:skipUpdateUnreachable": "true" },
    /^kubernetes:skipUpdateUnreachable is "true"; it must be left out, or false: a cluster/,
  ],
  [
    { "kubernetes:renderYamlToDirectory": "out" },
    'kubernetes:renderYamlToDirectory is "out"; it must be left out: a release that only writes manifests rolls nothing out',
  ],
  [{ "kubernetes:contxt": "prod" }, /^unknown setting kubernetes:contxt; did you mean kubernetes:context\?/],
])("%j is a mistake", (raw, problem) => {
  const [only, ...others] = problems(raw);
  expect(others).toEqual([]);
  if (typeof problem === "string") expect(only).toBe(problem);
  else expect(only).toMatch(problem);
});

test("credentials are never repeated in a message", () => {
  const raw = { "aws:secretKey": "hunter2", "aws:token": { a: "hunter2" }, "aws:accesKey": "hunter2" };
  expect(problems(raw).join("\n")).not.toContain("hunter2");
  expect(problems({ "aws:region": "hunter2" }, ["aws:region"])).toEqual([
    "aws:region is (not shown); it must be a region of AWS such as eu-central-1",
  ]);
});

test("other packages' keys are none of a release's business", () => {
  const raw = { "infra:instanceType": "t4g.micro", "pulumi:disable-default-providers": ["*"], "awsx:x": "y" };
  expect(parseProviders(raw)).toEqual({ providers: { aws: {}, kubernetes: {}, secrets: [] }, mistakes: [] });
  expect(Object.keys(raw).filter(isProviderKey)).toEqual([]);
});
