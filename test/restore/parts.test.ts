import { describe, expect, test } from "vitest";
import { CommandFailure } from "../../by-hand/failure";
import { readRestoreCommand } from "../../restore/options";
import { copyName } from "../../restore/rds/copy";
import { differencesOf } from "../../restore/rds/differences";
import { beganAt, reachable, readTime } from "../../restore/rds/moment";
import { unmet } from "../../restore/rds/unmet";
import { AURORA_SOURCE, INSTANCE, INSTANCE_SOURCE } from "./fixtures";

function failure(run: () => unknown): CommandFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof CommandFailure) return error;
    throw error;
  }
  throw new Error("nothing is wrong with it");
}

describe("the command line of restore", () => {
  const read = (...args: string[]) => readRestoreCommand(args, ["prod"]);

  test("restores by default, and lists and removes", () => {
    expect(read("--stack", "prod")).toMatchObject({ verb: "restore", to: undefined, plan: false, verify: true });
    expect(read("--to", "2026-11-21T15:00:00Z", "--plan", "--no-verify", "--stack", "prod")).toMatchObject({
      ...{ verb: "restore", to: "2026-11-21T15:00:00Z", plan: true, verify: false, timeout: 10_800_000 },
    });
    expect(read("list", "--stack", "prod")).toMatchObject({ verb: "list" });
    expect(read("--stack", "prod", "list")).toMatchObject({ verb: "list" });
    expect(read("--stack", "prod", "remove", "list")).toMatchObject({ verb: "remove", name: "list" });
    expect(read("remove", "copy", "--unprotect", "--timeout", "5m", "--stack", "prod")).toMatchObject({
      ...{ verb: "remove", name: "copy", unprotect: true, timeout: 300_000 },
    });
  });

  test.each([
    [["notes-db-1", "--stack", "prod"], '"notes-db-1" is too much; a snapshot or a time follows --to'],
    [["remove", "--stack", "prod"], "remove needs the name of a copy"],
    [["list", "--to", "x", "--stack", "prod"], "unknown option --to of list"],
    [["--timeout", "soon", "--stack", "prod"], '--timeout is "soon"'],
    [["--stack", "dev"], 'unknown stack "dev"; there are: prod'],
  ] as [string[], string][])("%j is refused", (args, message) => {
    expect(failure(() => read(...args)).message).toContain(message);
  });
});

describe("the name of a copy", () => {
  const now = new Date("2026-11-21T15:04:05Z");

  test("has the source's name and the minute, in UTC, and a letter if that is taken", () => {
    expect(copyName("notes-prod", now, new Set())).toBe("notes-prod-restored-20261121-1504");
    expect(copyName("notes-prod", now, new Set(["notes-prod-restored-20261121-1504"]))).toBe(
      "notes-prod-restored-20261121-1504b",
    );
  });

  test("fits into RDS' 63 characters with the names of a cluster's instances", () => {
    const name = copyName(`${"a".repeat(36)}-${"b".repeat(26)}`, now, new Set());
    expect(`${name}-12`.length).toBeLessThanOrEqual(63);
    expect(name).toMatch(/^a{36}-restored-20261121-1504$/);
  });
});

describe("a moment", () => {
  test("is read with its time zone, to the second, as RDS takes it", () => {
    expect(readTime("2026-11-21T16:04:05.9+01:00")).toEqual(new Date("2026-11-21T15:04:05Z"));
    expect(readTime("2026-11-21 15:04 Z")).toEqual(new Date("2026-11-21T15:04:00Z"));
    expect(readTime("notes-prod-0a4ccad5b85c")).toBeUndefined();
    expect(failure(() => readTime("2026-11-21T15:04:05")).message).toContain("no time with a time zone");
    expect(failure(() => readTime("2026-11-21")).message).toContain("no time with a time zone");
  });

  test("must lie within what RDS keeps", () => {
    const at = new Date("2026-11-21T14:00:00Z");
    expect(reachable(INSTANCE_SOURCE, at)).toEqual(at);
    const late = failure(() => reachable(INSTANCE_SOURCE, new Date("2026-11-21T15:03:00Z")));
    expect(late.message).toContain("can be restored to 2026-11-21T15:00:00Z at the latest");
    expect(failure(() => reachable(AURORA_SOURCE, new Date("2026-11-01T00:00:00Z"))).message).toContain(
      "at the earliest",
    );
    const { LatestRestorableTime: _, ...never } = { ...INSTANCE, BackupRetentionPeriod: 0 };
    const none = failure(() => reachable({ ...INSTANCE_SOURCE, database: never }, at));
    expect(none.message).toContain("keeps no automated backups");
  });

  test("before the migration is the one that the live release recorded", () => {
    const outputs = { migrationBegan: "2026-11-21T14:02:00Z" } as never;
    expect(beganAt({ outputs, unknown: undefined })).toEqual(new Date("2026-11-21T14:02:00Z"));
    const unknown = failure(() => beganAt({ outputs: undefined, unknown: "the Pulumi CLI is not on PATH" }));
    expect(unknown.message).toContain("the Pulumi CLI is not on PATH");
    expect(unknown.next).toContain("--to TIME");
  });
});

describe("what differs", () => {
  test("is every parameter that the source has and the copy lacks, also one that nobody has thought of", () => {
    const copy = {
      ...INSTANCE,
      DBInstanceIdentifier: "copy",
      DBInstanceArn: "arn:…",
      DbiResourceId: "db-OTHER",
      VpcSecurityGroups: [{ VpcSecurityGroupId: "sg-default", Status: "active" }],
      DBParameterGroups: [{ DBParameterGroupName: "default.postgres16", ParameterApplyStatus: "in-sync" }],
      MultiAZ: false,
      DeletionProtection: false,
      TagList: [...INSTANCE.TagList!, { Key: "postgres-release:restore", Value: "notes-prod" }],
    };
    const source = { ...INSTANCE, MasterUserSecret: { SecretArn: "arn:secret" }, Unheard: "of" };
    const found = differencesOf(source, copy).map(({ parameter, source: was, copy: is }) => [parameter, was, is]);
    expect(found).toEqual([
      ["DBParameterGroups", "notes-16", "default.postgres16"],
      ["DeletionProtection", "true", "false"],
      ["MasterUserSecret", "arn:secret", "-"],
      ["MultiAZ", "true", "false"],
      ["Unheard", "of", "-"],
      ["VpcSecurityGroups", "sg-admin, sg-app", "sg-default"],
    ]);
    const [secret] = differencesOf(source, copy).filter(({ parameter }) => parameter === "MasterUserSecret");
    expect(secret!.note).toContain("Secrets Manager");
  });

  test("is nothing between two databases with the same settings", () => {
    const copy = {
      ...INSTANCE,
      DBInstanceIdentifier: "copy",
      DBInstanceStatus: "modifying",
      PendingModifiedValues: {},
    };
    expect(differencesOf(INSTANCE, copy)).toEqual([]);
  });
});

test("a change is made until RDS describes it, whatever RDS calls it", () => {
  const wanted = {
    ...{ DBInstanceIdentifier: "copy", ApplyImmediately: true, EnablePerformanceInsights: true },
    PreferredMaintenanceWindow: "Tue:02:00-Tue:02:30",
  };
  expect(unmet({ PreferredMaintenanceWindow: "tue:02:00-tue:02:30" }, wanted)).toEqual(["EnablePerformanceInsights"]);
  expect(unmet(INSTANCE, wanted)).toEqual([]);
});
