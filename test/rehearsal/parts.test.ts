import type { DBCluster, DBInstance } from "@aws-sdk/client-rds";
import { describe, expect, test } from "vitest";
import { boundedProof, PROOF_BYTES } from "../../rehearsal/bounded-proof";
import { RehearsalFailed } from "../../rehearsal/failure";
import { mergedMeasurement } from "../../rehearsal/merged-measurement";
import { measurementLines } from "../../rehearsal/print";
import type { MeasuredMigration, Measurement } from "../../report/measurement";
import { exceededLimits } from "../../report/rehearsal-limits";
import { type RehearsalProof, readRehearsalProof } from "../../report/rehearsal-proof";
import { rehearsalModel } from "../../restore/rds/rehearsal-model";
import { parseSettings } from "../../settings/parse";

const REWRITE: MeasuredMigration = {
  name: "3_long_ids",
  milliseconds: 8_200,
  blocked: [{ table: "notes", lock: "ACCESS EXCLUSIVE", milliseconds: 8_000 }],
  statements: [
    { index: 0, line: 1, kind: "UPDATE", milliseconds: 150, rows: 5, walBytes: 1024, tables: [] },
    {
      ...{ index: 1, line: 4, kind: "ALTER TABLE", milliseconds: 7_950, rows: 0, walBytes: 3 * 2 ** 20 },
      tables: [{ name: "notes", lock: "ACCESS EXCLUSIVE", rewritten: true, scanned: true }],
    },
  ],
};

const MEASURED: Measurement = {
  ...{ milliseconds: 8_200, migrations: [REWRITE], diskBytes: 64 * 2 ** 20, walBytes: 3 * 2 ** 20, plans: [] },
  growth: { notes: { before: { rows: 10, bytes: 100 * 2 ** 20 }, after: { rows: 10, bytes: 160 * 2 ** 20 } } },
};

function limits(written: object) {
  const { settings, problems } = parseSettings({ rehearsal: { limits: written } }, ["rehearsal"]);
  expect(problems).toEqual([]);
  return settings!.rehearsal.limits;
}

describe("the limits of a rehearsal", () => {
  const exceeded = (written: object, measurement: Measurement | undefined = MEASURED) =>
    exceededLimits(limits(written), { milliseconds: 8_200, measurement });

  test("name the measured value, the migration and the line of the statement that takes most of it", () => {
    expect(exceeded({ duration: "5s", blockedFor: "2s", diskGrowth: "32Mi" })).toEqual([
      "The migrations take 8.2 s, and rehearsal.limits.duration is 5s. The slowest is 3_long_ids (8.2 s, line 4: ALTER TABLE).",
      "3_long_ids holds ACCESS EXCLUSIVE on notes for 8 s, line 4: ALTER TABLE, and rehearsal.limits.blockedFor is 2s.",
      "The database grows by 64 MiB, most of it notes (60 MiB), and rehearsal.limits.diskGrowth is 32Mi.",
    ]);
  });

  test("are not exceeded by what is as large as they are, nor without being set", () => {
    expect(exceeded({ blockedFor: "8s", diskGrowth: "64Mi", duration: "9s" })).toEqual([]);
    expect(exceeded({})).toEqual([]);
  });

  test("hold the time of the app's own command, of which nothing else is measured", () => {
    const told = exceededLimits(limits({ duration: "5s", blockedFor: "1s" }), {
      milliseconds: 8_200,
      measurement: undefined,
    });
    expect(told).toEqual(["The migrations take 8.2 s, and rehearsal.limits.duration is 5s."]);
  });
});

describe("two runs of the migrator", () => {
  const size = (bytes: number) => ({ rows: 1, bytes });
  const plan = (statement: string, costBefore: number, costAfter: number) => ({
    ...{ statement, calls: 1, costBefore, costAfter, before: [`${costBefore}`], after: [`${costAfter}`] },
  });
  const run = (more: Partial<Measurement>): Measurement => ({
    ...{ milliseconds: 1, migrations: [], growth: {}, diskBytes: 1, walBytes: 1, plans: [], ...more },
  });

  test("are told as one: from the state before the first to the state after the second", () => {
    const first = run({ growth: { a: { before: size(1), after: size(2) }, b: { before: size(1), after: size(1) } } });
    const second = run({ growth: { a: { before: size(2) }, c: { after: size(5) } }, milliseconds: 9 });
    expect(mergedMeasurement(first, second)).toMatchObject({
      ...{ milliseconds: 10, diskBytes: 2, walBytes: 2 },
      growth: { a: { before: size(1) }, b: { before: size(1), after: size(1) }, c: { after: size(5) } },
    });
    expect(mergedMeasurement(first, second)!.growth["a"]).not.toHaveProperty("after");
    expect(mergedMeasurement(undefined, second)).toBe(second);
  });

  test("show a plan that both changed once", () => {
    const first = run({ plans: [plan("one", 1, 2), plan("two", 1, 2)] });
    const second = run({ plans: [plan("one", 2, 3), plan("three", 4, 5)] });
    expect(mergedMeasurement(first, second)!.plans).toEqual([
      plan("one", 1, 3),
      plan("two", 1, 2),
      plan("three", 4, 5),
    ]);
  });
});

test("the table shows time, locks, rows, WAL and growth of each migration", () => {
  expect(measurementLines(MEASURED)).toEqual([
    "MIGRATION   TIME   BLOCKED                     ROWS  WAL",
    "3_long_ids  8.2 s  notes ACCESS EXCLUSIVE 8 s  5     3 MiB",
    "all         8.2 s                                    3 MiB",
    "notes: 100 MiB → 160 MiB",
    "The database grows by 64 MiB.",
  ]);
});

describe("a proof that is kept in a ConfigMap", () => {
  const proof = (migrations: number, statements: number): RehearsalProof => {
    const all = Array.from({ length: migrations }, (_, number) => ({
      ...{ ...REWRITE, name: `${number}_${"x".repeat(100)}` },
      statements: Array.from({ length: statements }, (__, index) => ({
        ...REWRITE.statements[1]!,
        ...{ index, milliseconds: index === 7 ? 7_950 : index % 50 },
      })),
    }));
    return {
      ...{ fingerprint: "f", at: "2026-11-30T10:00:00.000Z", of: "snapshot a", result: "passed" },
      measurement: { ...MEASURED, migrations: all },
    };
  };
  const read = (of: RehearsalProof) => readRehearsalProof({ proof: JSON.stringify(boundedProof(of)) })!;
  const kept = ({ measurement }: RehearsalProof) => measurement!.migrations.map(({ statements }) => statements);

  test("is whole as long as it fits", () => {
    expect(read(proof(3, 200))).toEqual(proof(3, 200));
  });

  test("has the slow statements of thousands, says how many it leaves out, and holds the same limits", () => {
    const found = read(proof(20, 1000));
    expect(JSON.stringify(found).length).toBeLessThan(PROOF_BYTES);
    expect(kept(found).every((statements) => statements.some(({ milliseconds }) => milliseconds === 7_950))).toBe(true);
    expect(found.leftOut).toBe(`the details of the ${20_000 - kept(found).flat().length} quickest statements`);
    const exceeded = (of: RehearsalProof) =>
      exceededLimits(limits({ duration: "5s", blockedFor: "2s", diskGrowth: "32Mi" }), {
        ...{ milliseconds: 8_200, measurement: of.measurement },
      });
    expect(exceeded(found)).toEqual(exceeded(proof(20, 1000)));
  });

  test("fits also if all statements were equally quick, or the migrations alone are too many", () => {
    const equal = proof(20, 1000);
    for (const each of kept(equal).flat()) Object.assign(each, { milliseconds: 1 });
    expect(read(equal)).toMatchObject({ leftOut: "the details of the 20000 quickest statements" });
    expect(read(proof(20_000, 1))).toMatchObject({ result: "passed", leftOut: "everything that was measured" });
    expect(read({ ...proof(1, 1), result: "failed", reason: "x".repeat(2 ** 21) }).reason).toHaveLength(4000);
  });
});

test("the reason of a failure is one line", () => {
  expect(new RehearsalFailed("It failed.", "ERROR: no\n  at 1").reason).toBe("It failed. ERROR: no");
});

describe("the model of a rehearsal's copy", () => {
  const instance: DBInstance = {
    ...{ DBInstanceIdentifier: "notes-db", DBInstanceClass: "db.r6g.4xlarge", MultiAZ: true, PubliclyAccessible: true },
    ...{ DeletionProtection: true, BackupRetentionPeriod: 14, MonitoringInterval: 60, StorageType: "io1", Iops: 9000 },
    ...{ ProcessorFeatures: [{ Name: "coreCount", Value: "8" }], VpcSecurityGroups: [{ VpcSecurityGroupId: "sg-1" }] },
  };

  test("is private, in one zone, unprotected and without backups, with the source's storage and network", () => {
    const { database } = rehearsalModel({ kind: "instance", identifier: "notes-db", database: instance }, undefined);
    expect(database).toEqual({
      ...{ DBInstanceIdentifier: "notes-db", DBInstanceClass: "db.r6g.4xlarge", MultiAZ: false },
      ...{ PubliclyAccessible: false, DeletionProtection: false, BackupRetentionPeriod: 0, StorageType: "io1" },
      ...{ Iops: 9000, ProcessorFeatures: instance.ProcessorFeatures, VpcSecurityGroups: instance.VpcSecurityGroups },
    });
  });

  test("has the class of the settings, without the processor features of another one", () => {
    const source = { kind: "instance" as const, identifier: "notes-db", database: instance };
    const { database } = rehearsalModel(source, "db.t4g.large") as { database: DBInstance };
    expect(database.DBInstanceClass).toBe("db.t4g.large");
    expect(database.ProcessorFeatures).toBeUndefined();
  });

  test("is a cluster with its writer alone", () => {
    const database: DBCluster = { Engine: "aurora-postgresql", DeletionProtection: true, BackupRetentionPeriod: 14 };
    const members = [instance, { ...instance, DBInstanceIdentifier: "reader" }];
    const model = rehearsalModel({ kind: "cluster", identifier: "shop", database, members }, "db.r6g.large");
    expect(model.database).toEqual({
      ...{ Engine: "aurora-postgresql", DeletionProtection: false, BackupRetentionPeriod: 1 },
    });
    expect("members" in model && model.members).toMatchObject([
      { DBInstanceIdentifier: "notes-db", DBInstanceClass: "db.r6g.large", PubliclyAccessible: false },
    ]);
  });
});
