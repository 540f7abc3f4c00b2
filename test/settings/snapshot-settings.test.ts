import { expect, test } from "vitest";
import { parseSettings } from "../../settings/parse";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

function problems(backup: object, policy: object = {}): string[] {
  return parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    backup,
    policy,
  }).problems;
}

test.each([
  [{ kmsKey: KEY, tags: { team: "notes" }, copy: { region: "eu-west-1", kmsKey: KEY } }],
  [{ keep: { last: 20, days: 30 } }],
  [{ keep: { days: 30 } }],
])("%j is a backup", (backup) => {
  expect(problems(backup)).toEqual([]);
});

test.each([
  [{ kmsKey: "alias/notes" }, "backup.kmsKey", "the ARN of a KMS key"],
  [{ copy: { region: "Ireland" } }, "backup.copy.region", "a region of AWS"],
  [{ copy: { region: "cn-north-1" } }, "backup.copy.region", "a region outside of AWS GovCloud and China"],
  [{ copy: { region: "us-east-1", kmsKey: KEY } }, "backup.copy.kmsKey", "a key in backup.copy.region (us-east-1)"],
  [{ copy: { region: "eu-west-1", when: "now" } }, "backup.copy.when", '"after-rollout" or "before-migration"'],
  [{ keep: {} }, "backup.keep", "a group with last, days or both"],
  [{ keep: { last: 0 } }, "backup.keep.last", "from 1 to 1000"],
  [{ tags: { release: "1" } }, "backup.tags.release", "left out, because the release sets this tag itself"],
  [{ tags: { "aws:x": "1" } }, "backup.tags", "doesn't begin with aws:"],
  [{ tags: { team: "notes;" } }, "backup.tags.team", "a value of at most 256"],
])("%j is none", (backup, key, allowed) => {
  const found = problems(backup);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(key);
  expect(found[0]).toContain(allowed);
});

test("a copy needs a key where everything is encrypted", () => {
  expect(problems({ copy: { region: "eu-west-1" } }, { encryption: "required" })).toEqual([
    expect.stringContaining("backup.copy.kmsKey"),
  ]);
});

test("what only a snapshot has is refused without one", () => {
  expect(problems({ mode: "none", kmsKey: KEY }, { backup: "optional" })).toEqual([
    expect.stringContaining('left out, because backup.mode is "none"'),
  ]);
});
