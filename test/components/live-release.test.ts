import { beforeEach, describe, expect, test } from "vitest";
import { LiveReleaseUnknown, liveRelease, parseSettings, ReviewRefused, reviewGate } from "../../components";
import { checksumOf, fingerprint } from "../../migrations/history/history";
import { formatReview } from "../../review/formats";
import { PulumiRecorder } from "../support/pulumi-recorder";

function settings(review: object = {}) {
  const { settings, problems } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    review: { refuse: ["destructive"], ...review },
  });
  if (!settings) throw new Error(problems.join());
  return settings;
}

const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
const init = migration("1_init", "CREATE TABLE notes (id int, fax text);");
const drop = migration("3_drop", "ALTER TABLE notes DROP COLUMN fax;");

const OUTPUTS = {
  releaseId: "3f2a9c41b07e",
  snapshot: { id: "notes-db-1", arn: "arn:aws:rds:::snapshot:x", createdAt: "2026-11-21T10:00:00Z" },
  migrations: { last: "1_init", count: 1, fingerprint: fingerprint([init]) },
  image: "notes:1",
  namespace: "default",
  service: "notes",
  url: "http://notes",
  restore: null,
  sizes: { tables: { notes: { rows: 12, bytes: 98_304 } } },
  migrationBegan: "2026-11-21T10:02:00Z",
};

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

describe("what is live", () => {
  test("is told by the stack's own outputs, or by one of them in a program that has others", async () => {
    recorder.outputs = OUTPUTS;
    const { releaseId, migrations, image, sizes, migrationBegan } = OUTPUTS;
    const known = { releaseId, before: [], image, sizes, migrationBegan };
    const live = { ...known, migration: "1_init", fingerprint: migrations.fingerprint };
    expect(await liveRelease(settings())).toEqual(live);
    recorder.outputs = { vpcId: "vpc-1", release: OUTPUTS };
    expect(await liveRelease(settings(), { output: "release" })).toEqual(live);
  });

  test("is read again while the CLI is writing the record of the stack", async () => {
    let tried = 0;
    Object.defineProperty(recorder, "outputs", {
      get() {
        tried += 1;
        const reason = "failed to load checkpoint: EOF";
        if (tried < 3) throw Object.assign(new Error(reason), { details: reason });
        return OUTPUTS;
      },
    });
    expect((await liveRelease(settings())).migration).toBe("1_init");
    expect(tried).toBe(3);
  });

  test("is nothing before the first release", async () => {
    expect(await liveRelease(settings())).toEqual({});
    recorder.outputs = { vpcId: "vpc-1" };
    expect(await liveRelease(settings(), { output: "release" })).toEqual({});
  });

  test.each([
    ["the ARN of a snapshot is missing", { ...OUTPUTS, snapshot: { ...OUTPUTS.snapshot, arn: undefined } }, "1_init"],
    ["the migrations are missing", { ...OUTPUTS, migrations: undefined }, "NAME"],
    ["they are another program's", { vpcId: "vpc-1" }, "NAME"],
  ])("is unknown, and ends the release, where %s", async (_, outputs, name) => {
    recorder.outputs = outputs;
    const unknown = liveRelease(settings());
    await expect(unknown).rejects.toThrow(LiveReleaseUnknown);
    await expect(unknown).rejects.toThrow(/don't tell which release is live \(.*: .*\)[\s\S]*Nothing was touched/);
    await expect(unknown).rejects.toThrow(`pulumi config set --path release:review.since ${name}`);
    // The command that it names is the way on, and the gate holds.
    const named = settings({ since: "1_init" });
    const gated = reviewGate(named, { migrations: [init, drop] }, await liveRelease(named));
    await expect(gated).rejects.toThrow(ReviewRefused);
  });
});

describe("the review of a release", () => {
  test("says that it assumes an empty database where nothing tells what is live", async () => {
    const review = await reviewGate(settings(), { migrations: [init, drop] }, {});
    expect(formatReview(review, "text")).toMatch(/assuming an EMPTY database[\s\S]*review\.since/);
    expect(formatReview(review, "text")).not.toContain("Safe to release:");
  });

  test("says when the folder's older migrations are not those that the live release had", async () => {
    const live = { migration: "3_drop", fingerprint: fingerprint([init, drop]) };
    expect((await reviewGate(settings(), { migrations: [init, drop] }, live)).assumes).toBeUndefined();
    const late = migration("2_late", "DROP TABLE notes;");
    const review = await reviewGate(settings(), { migrations: [init, late, drop] }, live);
    expect(review.assumes).toContain("are not those of the live release");
  });

  test("says that it goes back where the live release has migrations that are held back", async () => {
    const live = { migration: "3_drop", fingerprint: fingerprint([init, drop]) };
    const review = await reviewGate(settings(), { migrations: [init], heldBack: ["3_drop"] }, live);
    expect(review.findings).toEqual([]);
    expect(review.assumes).toMatch(
      /goes back to the schema of 1_init: the live release has migrations up to 3_drop, and migrations\.until holds back 1 migration of the folder/,
    );
    const later = await reviewGate(settings(), { migrations: [init], heldBack: ["3_drop"] }, { migration: "1_init" });
    expect(later.assumes).toBeUndefined();
  });

  test("refuses a review.since that names no migration: everything would count as applied", async () => {
    const wrong = reviewGate(settings({ since: "zzz" }), { migrations: [init, drop] }, {});
    await expect(wrong).rejects.toThrow(/review\.since is "zzz", which is no migration of the folder/);
  });

  test("is refused where an existing app is taken over and nothing tells what its database has", async () => {
    const { app, ...rest } = settings();
    const adopting = { ...rest, app: { ...app, adopt: true } };
    const unknown = reviewGate(adopting, { migrations: [init, drop] }, {});
    await expect(unknown).rejects.toThrow(/put it into review\.since[\s\S]*The last one of the folder is 3_drop/);
    const known = await reviewGate(adopting, { migrations: [init, drop] }, { migration: "3_drop" });
    expect(known.findings).toEqual([]);
    const named = { ...adopting, review: { ...adopting.review, since: "3_drop" } };
    expect((await reviewGate(named, { migrations: [init, drop] }, {})).findings).toEqual([]);
  });
});
