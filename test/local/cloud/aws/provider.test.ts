import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAwsProvider } from "../../../../local/cloud/aws/provider";
import { listSnapshots } from "../../../../local/cloud/aws/records";
import { InitError, type Properties, type Provider, UNKNOWN } from "../../../../local/cloud/provider";
import { startCloud, type TestCloud } from "./cloud";

let cloud: TestCloud;
let provider: Provider;

beforeAll(async () => {
  cloud = await startCloud();
  provider = cloud.provider;
  await cloud.aws.ensureInstance(cloud.notes);
  await cloud.aws.ensureInstance({ ...cloud.notes, identifier: "notes-cluster", kind: "cluster" });
});
beforeEach(async () => {
  await cloud.setFaults();
  await cloud.grant();
});
afterAll(() => cloud?.remove());

const types = { instance: "aws:rds/snapshot:Snapshot", cluster: "aws:rds/clusterSnapshot:ClusterSnapshot" };
const urn = (kind: keyof typeof types = "instance") => `urn:pulumi:local::release::${types[kind]}::before`;
const inputsOf = (identifier: string): Properties => ({
  dbInstanceIdentifier: "notes-db",
  dbSnapshotIdentifier: identifier,
  tags: { release: "abc" },
});
const create = (inputs: Properties, more: { timeout?: number; preview?: boolean; signal?: AbortSignal } = {}) =>
  provider.create({ urn: urn(), inputs, timeout: 0, preview: false, ...more });

describe("check", () => {
  const check = (news: Properties, kind: keyof typeof types = "instance") => provider.check({ urn: urn(kind), news });

  test("every problem is told at once, with its property", async () => {
    const { failures } = await check({ dbInstanceIdentifier: 5, snapshotName: "x", tags: { a: 1 } });
    expect(failures.map(({ property }) => property).sort()).toEqual([
      "dbInstanceIdentifier",
      "dbSnapshotIdentifier",
      "snapshotName",
      "tags",
    ]);
    expect(failures.find(({ property }) => property === "dbSnapshotIdentifier")!.reason).toBe(
      'Missing required argument. The argument "db_snapshot_identifier" is required, but no definition was found.. ' +
        "Examine values at 'before.dbSnapshotIdentifier'.",
    );
  });

  test("good inputs pass unchanged, unknown ones too", async () => {
    const news = { ...inputsOf("a"), dbInstanceIdentifier: UNKNOWN };
    expect(await check(news)).toEqual({ inputs: news, failures: [] });
  });

  test.each(["Upper", "1a", "a--b", "a-", "a_b", "a".repeat(64)])(
    "the cluster snapshot name %s is refused",
    async (name) => {
      const news = { dbClusterIdentifier: "c", dbClusterSnapshotIdentifier: name };
      const { failures } = await check(news, "cluster");
      expect(failures).toMatchObject([{ property: "dbClusterSnapshotIdentifier" }]);
    },
  );

  test("a type that the local cloud does not have is named", async () => {
    const other = "urn:pulumi:local::release::aws:s3/bucket:Bucket::b";
    await expect(provider.check({ urn: other, news: {} })).rejects.toThrow("aws:s3/bucket:Bucket");
  });
});

describe("diff", () => {
  const diff = (news: Properties, ignoreChanges: string[] = []) =>
    provider.diff({ urn: urn(), id: "a", oldInputs: inputsOf("a"), olds: {}, news, ignoreChanges });

  test("nothing changed", async () => {
    expect(await diff(inputsOf("a"))).toMatchObject({ changes: "none", diffs: [], replaces: [] });
  });
  test("both identifiers replace, and so does one that is not known yet", async () => {
    expect(await diff(inputsOf("b"))).toMatchObject({ changes: "some", replaces: ["dbSnapshotIdentifier"] });
    expect(await diff({ ...inputsOf("a"), dbInstanceIdentifier: UNKNOWN })).toMatchObject({
      replaces: ["dbInstanceIdentifier"],
    });
  });
  test("tags and shared accounts change in place", async () => {
    const news = { ...inputsOf("a"), tags: { release: "abc", more: "1" }, sharedAccounts: ["123456789012"] };
    expect(await diff(news)).toMatchObject({ changes: "some", diffs: ["sharedAccounts", "tags.more"], replaces: [] });
    expect(await diff(news, ["tags", "sharedAccounts"])).toMatchObject({ changes: "none" });
  });
});

describe("create", () => {
  test("returns when the snapshot is available, with the attributes of the real resource", async () => {
    const { id, outputs } = await create(inputsOf("good"));
    expect(id).toBe("good");
    expect(outputs).toMatchObject({
      allocatedStorage: 20,
      dbInstanceIdentifier: "notes-db",
      dbSnapshotArn: "arn:aws:rds:xx-local-1:000000000000:snapshot:good",
      dbSnapshotIdentifier: "good",
      encrypted: false,
      engine: "postgres",
      snapshotType: "manual",
      status: "available",
      tags: { release: "abc" },
      tagsAll: { release: "abc" },
    });
    expect(outputs["engineVersion"]).toMatch(/^18\./);
  });

  test("without the right to read a snapshot's attributes fails after it was taken, as on AWS", async () => {
    await cloud.grant("rds:CreateDBSnapshot", "rds:AddTagsToResource", "rds:DescribeDBSnapshots");
    const failed = await create(inputsOf("unread")).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(InitError);
    expect((failed as InitError).reasons[0]).toMatch(
      /DescribeDBSnapshotAttributes, https response error StatusCode: 403, .*AccessDenied: .*is not authorized to perform: rds:DescribeDBSnapshotAttributes/,
    );
    expect((failed as InitError).outputs).not.toHaveProperty("dbSnapshotArn");
    expect((await listSnapshots(cloud.directory)).map(({ identifier }) => identifier)).toContain("unread");
    await cloud.grant("rds:DescribeDBSnapshots", "rds:CreateDBSnapshot");
    await expect(create(inputsOf("untagged"))).rejects.toThrow("rds:AddTagsToResource");
    await cloud.grant("rds:DescribeDBInstances");
    const token = "aws:rds/getSnapshot:getSnapshot";
    await expect(provider.invoke({ token, args: { dbSnapshotIdentifier: "unread" }, preview: false })).rejects.toThrow(
      "not authorized to perform: rds:DescribeDBSnapshots",
    );
  });

  test("in a preview touches nothing and knows only what it was given", async () => {
    const { outputs } = await create(inputsOf("previewed"), { preview: true });
    expect(outputs).toMatchObject({ dbSnapshotIdentifier: "previewed", status: UNKNOWN, dbSnapshotArn: UNKNOWN });
    expect((await listSnapshots(cloud.directory)).map(({ identifier }) => identifier)).not.toContain("previewed");
  });

  test("of a taken name fails as on AWS, and leaves nothing to store", async () => {
    await cloud.snapshot("notes-db", "double");
    await expect(create(inputsOf("double"))).rejects.toThrow(
      /^1 error occurred:\n\t\* creating RDS DB Snapshot \(double\): operation error RDS: CreateDBSnapshot, https response error StatusCode: 400, RequestID: \S+, DBSnapshotAlreadyExists: Cannot create the snapshot because a snapshot with the identifier double already exists\.\n\n$/,
    );
  });

  test("fails at once while an instance is not available", async () => {
    await cloud.setFaults("instance-unavailable");
    const failure = await create(inputsOf("early")).catch((error) => error);
    expect(failure).not.toBeInstanceOf(InitError);
    expect(failure.message).toContain(
      "InvalidDBInstanceState: Cannot create a snapshot because the database instance notes-db is not currently in the available state.",
    );
  });

  test("of a name or a source that RDS does not know fails", async () => {
    await expect(create(inputsOf("a--b"))).rejects.toThrow(
      "api error InvalidParameterValue: The parameter DBSnapshotIdentifier",
    );
    const nowhere = { ...inputsOf("of-nothing"), dbInstanceIdentifier: "nowhere" };
    await expect(create(nowhere)).rejects.toThrow("StatusCode: 404");
  });

  test("of a snapshot that fails leaves it in the state, without what RDS would have told", async () => {
    await cloud.setFaults("snapshot-fails");
    const failure: InitError = await create(inputsOf("failing")).catch((error) => error);
    expect(failure).toBeInstanceOf(InitError);
    expect(failure.id).toBe("failing");
    expect(failure.reasons).toEqual([
      "1 error occurred:\n\t* waiting for RDS DB Snapshot (failing) create: unexpected state 'failed', wanted target 'available'. last error: 0% progress\n\n",
    ]);
    expect(failure.outputs["status"]).toBeUndefined();
  });

  test("that takes too long leaves it in the state, and it goes on", async () => {
    await cloud.setFaults("snapshot-stays-creating");
    const failure: InitError = await create(inputsOf("slow"), { timeout: 1 }).catch((error) => error);
    expect(failure.reasons[0]).toContain(
      "waiting for RDS DB Snapshot (slow) create: timeout while waiting for state to become 'available' (last state: 'creating', timeout: 1s): 0% progress",
    );
    await expect(create(inputsOf("next"))).rejects.toThrow("InvalidDBInstanceState");
    const cancel = new AbortController();
    cancel.abort();
    await cloud.setFaults();
    await expect(create(inputsOf("cancelled"), { signal: cancel.signal })).rejects.toThrow();
    const read = () => provider.read({ urn: urn(), id: "slow", inputs: inputsOf("slow"), olds: {} });
    await expect.poll(async () => (await read())?.outputs["status"], { timeout: 20_000 }).toBe("available");
  });
});

test("tags are changed in place, and a read tells what is there", async () => {
  const made = await create(inputsOf("retagged"));
  const inputs = { ...inputsOf("retagged"), tags: { release: "def" } };
  const request = { urn: urn(), id: made.id, oldInputs: inputsOf("retagged"), olds: made.outputs, inputs, timeout: 0 };
  expect(await provider.update({ ...request, preview: false })).toMatchObject({
    tagsAll: { release: "def" },
    status: "available",
  });
  // As for an import: nothing is known but the id.
  expect(await provider.read({ urn: urn(), id: "retagged", inputs: {}, olds: {} })).toMatchObject({
    id: "retagged",
    inputs,
    outputs: { tagsAll: { release: "def" } },
  });
  await provider.delete({ urn: urn(), id: made.id, inputs, olds: made.outputs, timeout: 0 });
  expect(await provider.read({ urn: urn(), id: "retagged", inputs, olds: {} })).toBeUndefined();
  // A second time there is nothing to do, as for the real provider.
  await provider.delete({ urn: urn(), id: made.id, inputs, olds: made.outputs, timeout: 0 });
});

test("a cluster has snapshots of its own kind, and is asked again while it is not available", async () => {
  const inputs = { dbClusterIdentifier: "notes-cluster", dbClusterSnapshotIdentifier: "of-cluster" };
  await cloud.setFaults("instance-unavailable");
  const asked = cloud.asked.length;
  const waiting = provider.create({ urn: urn("cluster"), inputs, timeout: 0, preview: false });
  await expect.poll(() => cloud.asked.length).toBeGreaterThan(asked + 1);
  await cloud.setFaults();
  const { outputs } = await waiting;
  expect(outputs).toMatchObject({
    dbClusterSnapshotArn: "arn:aws:rds:xx-local-1:000000000000:cluster-snapshot:of-cluster",
    engine: "aurora-postgresql",
    status: "available",
    storageEncrypted: false,
  });
  const read = await provider.read({ urn: urn("cluster"), id: "of-cluster", inputs: {}, olds: {} });
  expect(read).toMatchObject({ inputs });
});

describe("functions", () => {
  const invoke = (name: string, args: Properties) => provider.invoke({ token: name, args, preview: true });

  test("getSnapshot finds by name, by instance and by tags", async () => {
    await create({ ...inputsOf("found-1"), tags: { for: "functions" } });
    const one = await invoke("aws:rds/getSnapshot:getSnapshot", { dbSnapshotIdentifier: "found-1" });
    expect(one).toMatchObject({ id: "found-1", status: "available", dbInstanceIdentifier: "notes-db" });
    expect(one["snapshotCreateTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const second = await cloud.aws.createSnapshot({
      kind: "instance",
      source: "notes-db",
      identifier: "found-2",
      tags: { for: "functions" },
    });
    expect(second.status).toBe("creating");
    const tags = { for: "functions" };
    await expect(invoke("aws:rds/getSnapshot:getSnapshot", { tags })).rejects.toThrow("more than one result");
    const last = await invoke("aws:rds/getSnapshot:getSnapshot", { tags, mostRecent: true });
    expect(last["id"]).toBe("found-2");
    const status = async () =>
      (await listSnapshots(cloud.directory)).find((entry) => entry.identifier === "found-2")?.status;
    await expect.poll(status, { timeout: 20_000 }).toBe("available");
    await expect(invoke("aws:rds/getSnapshot:getSnapshot", { dbSnapshotIdentifier: "no" })).rejects.toThrow(
      "no results",
    );
    await expect(
      invoke("aws:rds/getClusterSnapshot:getClusterSnapshot", { dbClusterSnapshotIdentifier: "found-1" }),
    ).rejects.toThrow("no results");
  });

  test("instances, clusters, the account and the region are told", async () => {
    expect(await invoke("aws:rds/getInstance:getInstance", { dbInstanceIdentifier: "notes-db" })).toMatchObject({
      address: "127.0.0.1",
      dbInstanceIdentifier: "notes-db",
      dbName: "notes",
      engine: "postgres",
    });
    expect(await invoke("aws:rds/getCluster:getCluster", { clusterIdentifier: "notes-cluster" })).toMatchObject({
      databaseName: "notes",
      engine: "aurora-postgresql",
    });
    await expect(invoke("aws:rds/getInstance:getInstance", { dbInstanceIdentifier: "no" })).rejects.toThrow(
      "not found",
    );
    expect(await invoke("aws:index/getCallerIdentity:getCallerIdentity", {})).toMatchObject({
      accountId: "000000000000",
    });
    expect(await invoke("aws:index/getRegion:getRegion", {})).toMatchObject({ name: "xx-local-1" });
    await expect(invoke("aws:s3/getBucket:getBucket", {})).rejects.toThrow(
      "has no function aws:s3/getBucket:getBucket",
    );
  });
});

test("a program can get the instance, which it did not make", async () => {
  const of = "urn:pulumi:local::release::aws:rds/instance:Instance::db";
  const read = await provider.read({ urn: of, id: "notes-db", inputs: {}, olds: {} });
  expect(read?.outputs).toMatchObject({ identifier: "notes-db", status: "available", dbName: "notes" });
  expect(read?.outputs["resourceId"]).not.toBe("notes-db");
  await expect(provider.check({ urn: of, news: {} })).rejects.toThrow("a program can read");
});

test("a preview starts nothing", async () => {
  const empty = path.join(cloud.directory, "not there");
  const idle = createAwsProvider(empty, async () => {
    throw new Error("The background process was asked for.");
  });
  await idle.check({ urn: urn(), news: inputsOf("a") });
  await idle.diff({ urn: urn(), id: "a", oldInputs: inputsOf("a"), olds: {}, news: inputsOf("b"), ignoreChanges: [] });
  await idle.create({ urn: urn(), inputs: inputsOf("a"), timeout: 0, preview: true });
  expect(await idle.read({ urn: urn(), id: "a", inputs: {}, olds: {} })).toBeUndefined();
  const tags = { token: "aws:rds/getSnapshot:getSnapshot", args: { dbSnapshotIdentifier: "a" }, preview: true };
  await expect(idle.invoke(tags)).rejects.toThrow("no results");
  expect(existsSync(empty)).toBe(false);
});

describe("the settings of a provider", () => {
  const lookup = (settings: Properties, identifier = "notes-elsewhere", args: Properties = {}) =>
    provider.configure!(settings).invoke({
      token: "aws:rds/getInstance:getInstance",
      args: { dbInstanceIdentifier: identifier, ...args },
      preview: false,
    });

  test("select the region: what is in another one is not found", async () => {
    await cloud.aws.ensureInstance({ ...cloud.notes, identifier: "notes-elsewhere", region: "eu-west-1" });
    expect(await lookup({ region: "eu-west-1" })).toMatchObject({ region: "eu-west-1", address: "127.0.0.1" });
    await expect(lookup({ region: "us-east-1" })).rejects.toThrow("DBInstanceNotFound: DBInstance notes-elsewhere");
    expect(await lookup({ region: "us-east-1" }, "notes-elsewhere", { region: "eu-west-1" })).toMatchObject({
      region: "eu-west-1",
    });
    // Without a region of its own it is found in each, as in clouds that older versions made.
    expect(await lookup({ region: "us-east-1" }, "notes-db")).toMatchObject({ region: "us-east-1" });
    await cloud.aws.deleteInstance({ kind: "instance", identifier: "notes-elsewhere" });
  });

  test("name the accounts that are allowed, and the cloud's is refused in the words of the real provider", async () => {
    expect(await lookup({ allowedAccountIds: '["111122223333","000000000000"]' }, "notes-db")).toBeDefined();
    for (const settings of [
      { allowedAccountIds: '["111122223333"]' },
      { forbiddenAccountIds: '["000000000000"]' },
    ] as Properties[])
      expect(() => provider.configure!(settings)).toThrow("AWS account ID not allowed: 000000000000");
  });
});
