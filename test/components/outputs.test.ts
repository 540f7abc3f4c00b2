import { describe, expect, test } from "vitest";
import { parseReleaseOutputs, ReleaseOutputsError } from "../../components";

const OUTPUTS = {
  releaseId: "3f2a9c41b07e",
  snapshot: { id: "notes-db-3f2a9c41b07e", arn: "arn:aws:rds:::snapshot:x", createdAt: "2026-11-21T10:00:00Z" },
  backup: {
    kind: "snapshot",
    id: "notes-db-3f2a9c41b07e",
    location: "arn:aws:rds:::snapshot:x",
    createdAt: "2026-11-21T10:00:00Z",
    completedAt: "2026-11-21T10:04:00Z",
    checksum: null,
    copy: null,
  },
  migrations: { last: "20260105093000_init", count: 1, fingerprint: "f".repeat(64) },
  attempt: 1,
  image: "notes:1",
  before: [{ releaseId: "9b1d0c2e3f4a", image: "notes:0", lastMigration: null }],
  namespace: "default",
  service: "notes",
  url: "http://notes",
  restore: "aws rds restore-db-instance-from-db-snapshot …",
  sizes: { recordedAt: "2026-11-21T10:05:00Z", tables: { notes: { rows: 12, bytes: 98_304 } } },
  migrationBegan: "2026-11-21T10:02:00Z",
};

describe("the outputs of a release, read by another stack", () => {
  test("are typed, and a release without a backup says so by null", () => {
    expect(parseReleaseOutputs(OUTPUTS)).toEqual(OUTPUTS);
    expect(parseReleaseOutputs({ ...OUTPUTS, snapshot: null, restore: null }).snapshot).toBeNull();
  });

  test("are read of an older release too, which told less: the rest is unknown", () => {
    const { sizes: _, backup: __, attempt: ___, migrationBegan: ____, before: _____, ...older } = OUTPUTS;
    const unknown = { before: [], sizes: null, backup: null, attempt: null, migrationBegan: null };
    expect(parseReleaseOutputs(older)).toEqual({ ...OUTPUTS, ...unknown });
  });

  test("keep what this version of the reader does not know out of its way", () => {
    expect(parseReleaseOutputs({ ...OUTPUTS, region: "eu-central-1" })).toEqual(OUTPUTS);
  });

  test.each([undefined, {}])("say when there has been no release yet (%j)", (outputs) => {
    expect(() => parseReleaseOutputs(outputs)).toThrow(/has not been completed\. Run `pulumi up` there first/);
  });

  test("say which key is not that of a release", () => {
    expect(() => parseReleaseOutputs({ ...OUTPUTS, url: undefined })).toThrow(ReleaseOutputsError);
    expect(() => parseReleaseOutputs({ vpcId: "vpc-1" })).toThrow(
      /releaseId: .*Is it the right stack\?\nNothing was touched/,
    );
  });
});
