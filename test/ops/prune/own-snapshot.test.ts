import fc from "fast-check";
import { expect, test } from "vitest";
import { candidates, snapshotIdentifier } from "../../../components/release-id";
import { ownSnapshot } from "../../../ops/prune/own-snapshot";
import type { ListedSnapshot } from "../../../ops/prune/rds-snapshots";

const FINGERPRINT = "0123456789abcdef".repeat(4);
const OWNER = { project: "shop", stack: "prod", app: "notes", database: "notes-db" };
const TAGS = { project: "shop", stack: "prod", app: "notes", migrations: FINGERPRINT };
const listed = (more: Partial<ListedSnapshot> = {}): ListedSnapshot => ({
  ...{ identifier: "notes-db-0123456789ab", arn: "arn", source: "notes-db", status: "available", tags: TAGS },
  createdAt: new Date(0),
  ...more,
});

test.each([
  ["the first attempt", {}, 0],
  ["a second try, because the first one failed", { identifier: "notes-db-0123456789ab-r2" }, 1],
  ["another attempt", { identifier: "notes-db-0123456789ab-12" }, 0],
  ["a try of another attempt", { identifier: "notes-db-0123456789ab-12-r5" }, 4],
  ["the database before a switch", { identifier: "old-db-0123456789ab", source: "old-db" }, 0],
] as const)("is a snapshot of the stack: %s", (_, more, number) => {
  expect(ownSnapshot(listed(more), OWNER)).toMatchObject({ state: "complete", series: { number } });
});

test.each([
  ["without tags", { tags: {} }],
  ["of another project", { tags: { ...TAGS, project: "other" } }],
  ["of another stack", { tags: { ...TAGS, stack: "dev" } }],
  ["of another app", { tags: { ...TAGS, app: "notes-admin" } }],
  ["of other migrations than its name says", { tags: { ...TAGS, migrations: "f".repeat(64) } }],
  ["with a shortened fingerprint", { tags: { ...TAGS, migrations: "0123456789ab" } }],
  ["that a person has copied with its tags", { identifier: "notes-db-0123456789ab-before-gdpr" }],
  ["that a person has copied to a like name", { identifier: "copy-notes-db-0123456789ab" }],
  ["whose attempt no release would write so", { identifier: "notes-db-0123456789ab-1" }],
  ["whose try no release would reach", { identifier: "notes-db-0123456789ab-r6" }],
  ["of a name that only begins so", { identifier: "notes-db-0123456789abc" }],
  ["of another database by its name", { identifier: "other-0123456789ab" }],
] as const)("is a foreign snapshot: one %s", (_, more) => {
  expect(ownSnapshot(listed(more), OWNER)).toBeUndefined();
});

test("is a snapshot of the stack whatever the names are that a release makes", () => {
  const database = fc.stringMatching(/^[A-Za-z]([A-Za-z0-9]|-[A-Za-z0-9]){0,40}$/);
  const fingerprint = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(
      database,
      fingerprint,
      fc.integer({ min: 1, max: 999_999 }),
      fc.nat(4),
      (name, migrations, attempt, n) => {
        const identifier = candidates(snapshotIdentifier(name, migrations, attempt))[n]!;
        const found = ownSnapshot(listed({ identifier, source: name.toLowerCase(), tags: { ...TAGS, migrations } }), {
          ...OWNER,
          database: name,
        });
        expect(found).toMatchObject({ id: identifier, series: { number: n } });
      },
    ),
  );
});
