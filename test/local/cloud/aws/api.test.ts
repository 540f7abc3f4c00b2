import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import {
  AddTagsToResourceCommand,
  CreateDBInstanceCommand,
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  ListTagsForResourceCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
} from "@aws-sdk/client-rds";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordCreation } from "../../../../local/cloud/aws/api/creation";
import { createAwsService } from "../../../../local/cloud/aws/service";
import { openCloud, startCloud, type TestCloud, waitFor } from "./cloud";

let cloud: TestCloud;
let service: ReturnType<typeof createAwsService>;
let server: Server;
let endpoint: string;
const secret = "secret-key";
const clientWith = (secretAccessKey: string) =>
  new RDSClient({
    endpoint,
    region: "xx-local-1",
    credentials: { accessKeyId: "local", secretAccessKey },
    maxAttempts: 1,
  });
let rds: RDSClient;

beforeAll(async () => {
  const started = await startCloud();
  cloud = openCloud(started.directory);
  service = createAwsService(started.directory);
  server = createServer((request, response) => void service.api!.answer(request, response, secret));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rds`;
  rds = clientWith(secret);
  await cloud.aws.ensureInstance(cloud.notes);
  await cloud.aws.ensureInstance({ identifier: "shop", kind: "cluster", database: "shop" });
  await cloud.snapshot("notes-db", "one");
  await cloud.aws.createSnapshot({ kind: "cluster", source: "shop", identifier: "two" });
}, 120_000);
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  await service.stop();
  await cloud.remove();
});

const instance = async (identifier: string) =>
  (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }))).DBInstances![0]!;
const cluster = async (identifier: string) =>
  (await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }))).DBClusters![0]!;
const available = (identifier: string) =>
  waitFor(async () => {
    const found = await instance(identifier);
    return found.DBInstanceStatus === "available" && found;
  });

describe.sequential("RDS' API of the local cloud", { timeout: 120_000 }, () => {
  test("gives a restored instance RDS' defaults for whatever the call doesn't say", async () => {
    const { DBInstance } = await rds.send(
      new RestoreDBInstanceFromDBSnapshotCommand({
        ...{ DBInstanceIdentifier: "Bare", DBSnapshotIdentifier: "one" },
        Tags: [{ Key: "a&b", Value: '<"c">' }],
      }),
    );
    expect(DBInstance).toMatchObject({ DBInstanceIdentifier: "bare", DBInstanceStatus: "creating" });
    expect(DBInstance!.Endpoint).toBeUndefined();
    const [source, copy] = [await instance("notes-db"), await available("bare")];
    expect(source.VpcSecurityGroups).toEqual([{ VpcSecurityGroupId: "sg-0123456789release", Status: "active" }]);
    expect(copy).toMatchObject({
      DBInstanceClass: source.DBInstanceClass,
      VpcSecurityGroups: [{ VpcSecurityGroupId: "sg-00000default00000" }],
      DBParameterGroups: [{ DBParameterGroupName: "default.postgres18" }],
      ...{ MultiAZ: false, CopyTagsToSnapshot: false, PerformanceInsightsEnabled: false },
      TagList: [{ Key: "a&b", Value: '<"c">' }],
    });
    expect(copy.Endpoint!.Port).not.toBe(source.Endpoint!.Port);
  });

  test("gives a restored Aurora cluster nothing to connect to, until an instance is made in it", async () => {
    const restored = { DBClusterIdentifier: "shop-2", SnapshotIdentifier: "two", Engine: "aurora-postgresql" };
    await waitFor(async () => rds.send(new RestoreDBClusterFromSnapshotCommand(restored)).catch(() => false));
    const ready = await waitFor(async () => {
      const found = await cluster("shop-2");
      return found.Status === "available" && found;
    });
    expect(ready.DBClusterMembers ?? []).toEqual([]);
    const { Port } = ready;
    const refused = await new Promise((told) => {
      const socket = connect(Port!, "127.0.0.1");
      socket.once("error", ({ message }) => told(message)).once("connect", () => told("connected"));
    });
    expect(refused).toContain("ECONNREFUSED");
    const member = { DBClusterIdentifier: "shop-2", Engine: "aurora-postgresql", DBInstanceClass: "db.r8g.large" };
    await rds.send(new CreateDBInstanceCommand({ ...member, DBInstanceIdentifier: "shop-2-1" }));
    expect((await available("shop-2-1")).DBClusterIdentifier).toBe("shop-2");
    expect((await cluster("shop-2")).DBClusterMembers).toMatchObject([{ IsClusterWriter: true }]);
    const deletion = { DBClusterIdentifier: "shop-2", SkipFinalSnapshot: true };
    await expect(rds.send(new DeleteDBClusterCommand(deletion))).rejects.toThrow("still contains DB instances");
    await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: "shop-2-1", SkipFinalSnapshot: true }));
    await rds.send(new DeleteDBClusterCommand(deletion));
    await expect(cluster("shop-2")).rejects.toMatchObject({ name: "DBClusterNotFoundFault" });
  });

  test("changes settings and tags, and deletes nothing that is protected", async () => {
    const DBInstanceIdentifier = "bare";
    const change = { DBInstanceIdentifier, DeletionProtection: true, EnablePerformanceInsights: true };
    await rds.send(new ModifyDBInstanceCommand(change));
    const { DBInstanceArn: ResourceName, ...changed } = await instance("bare");
    expect(changed).toMatchObject({ DeletionProtection: true, PerformanceInsightsEnabled: true });
    await rds.send(new AddTagsToResourceCommand({ ResourceName, Tags: [{ Key: "b", Value: "2" }] }));
    const { TagList } = await rds.send(new ListTagsForResourceCommand({ ResourceName }));
    expect(TagList!.map(({ Key }) => Key)).toEqual(["a&b", "b"]);
    const deletion = new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true });
    await expect(rds.send(deletion)).rejects.toThrow("Cannot delete protected DB Instance");
    await rds.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, DeletionProtection: false }));
    await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true }));
    await expect(instance("bare")).rejects.toMatchObject({ name: "DBInstanceNotFoundFault" });
  });

  test("refuses what RDS refuses, a wrong signature, and what the role isn't granted", async () => {
    const restore = (more: object) =>
      rds.send(
        new RestoreDBInstanceFromDBSnapshotCommand({ DBInstanceIdentifier: "x", DBSnapshotIdentifier: "one", ...more }),
      );
    await expect(restore({ DBInstanceIdentifier: "notes-db" })).rejects.toMatchObject({
      name: expect.stringContaining("AlreadyExists"),
    });
    await expect(restore({ MultiAZ: true, AvailabilityZone: "xx-local-1a" })).rejects.toThrow("availability zone");
    await expect(restore({ StorageType: "gp3", Iops: 3000 })).rejects.toThrow("storage size less than 400");
    await expect(restore({ DBSnapshotIdentifier: "none" })).rejects.toMatchObject({
      name: expect.stringContaining("SnapshotNotFound"),
    });
    const other = clientWith("another-key");
    await expect(other.send(new DescribeDBInstancesCommand({}))).rejects.toThrow("request signature");
    await cloud.grant("rds:DescribeDBClusters");
    await expect(rds.send(new DescribeDBInstancesCommand({}))).rejects.toThrow("perform: rds:DescribeDBInstances");
    await cloud.grant();
    await expect(instance("x")).rejects.toMatchObject({ name: "DBInstanceNotFoundFault" });
  });

  test("makes what was asked for even if the process that answered is killed meanwhile", async () => {
    // A service without its background work is a process that was killed right after its answer.
    await recordCreation(cloud.directory, {
      ...{ kind: "instance", identifier: "later", createTime: new Date().toISOString(), from: { snapshot: "one" } },
      ...{ settings: {}, members: undefined, backupRetention: 0 },
    });
    expect((await instance("later")).DBInstanceStatus).toBe("creating");
    const next = createAwsService(cloud.directory);
    try {
      expect((await available("later")).Endpoint!.Port).toBeGreaterThan(0);
    } finally {
      await next.stop();
    }
  });
});
