import { z } from "zod";
import { duration, image, setting, whole } from "../types";
import { branch } from "./branch";
import { dump } from "./dump";

const KEY = "the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID";
/** An alias is refused: it may lead to another key tomorrow, and RDS names the key itself. */
const kmsKey = z.string({ error: () => KEY }).regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, KEY);

const REGION = "a region of AWS such as eu-west-1";
const region = z.string({ error: () => REGION }).regex(/^[a-z]{2}(-[a-z0-9]+)+-\d+$/, REGION);

/** No character classes of Unicode: editors read these expressions in the JSON schema, where they have no flags. */
const TAG =
  "letters without accents, digits, spaces and _ . : / = + - @, a key of at most 128 characters that doesn't begin with aws:, a value of at most 256";
const tags = z.record(
  z.string().regex(/^(?![aA][wW][sS]:)[A-Za-z0-9 _.:/=+@-]{1,128}$/, TAG),
  z
    .union([z.string(), z.number(), z.boolean()], { error: () => TAG })
    .transform(String)
    .pipe(z.string().regex(/^[A-Za-z0-9 _.:/=+@-]{0,256}$/, TAG)),
);

/** The backup that is made before a migration. */
export const backup = z.strictObject({
  mode: setting(z.enum(["snapshot", "dump", "branch", "none"]).default("snapshot"), {
    description:
      "`snapshot` is one of RDS; `dump` is made by `pg_dump` of any server; `branch` is one of Neon, see backup.md. `none` is allowed where `policy.backup` is `optional`.",
    example: "snapshot",
  }),
  timeout: setting(duration("1s", "2d").prefault("3h"), {
    description:
      "Time that the snapshot may take until it is `available`; before that, as long for a busy database. Time that the dump may take until it is stored and checked, or the branch until it is ready.",
    example: "6h",
  }),
  maxAge: setting(duration("1m", "30d").prefault("1h"), {
    description:
      "With migrations pending, the Job refuses a backup that ended longer ago. Longer than `migrations.soak`.",
    example: "2h",
  }),
  kmsKey: setting(kmsKey.optional(), {
    description:
      "The key that the database, and so its snapshot, must be encrypted with. Another key ends the release before anything is changed: a snapshot always has the key of its database.",
    example: "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    without: "any key",
  }),
  tags: setting(tags.default({}), {
    description:
      "Tags of the snapshot and of its copy, besides `project`, `stack`, `app`, `commit`, `release` and `migrations`.",
    example: { team: "notes", "cost-centre": "4711" },
  }),
  copy: z
    .strictObject({
      region: setting(region, {
        description: "Another region, to which the snapshot is copied. `up` ends when the copy is `available` there.",
        example: "eu-west-1",
        without: "no copy",
      }),
      kmsKey: setting(kmsKey.optional(), {
        description: "The key of the copy, in that region. AWS requires it for an encrypted snapshot.",
        example: "arn:aws:kms:eu-west-1:111122223333:key/4321dcba-21ba-43dc-65fe-ba0987654321",
        without: "the copy of an unencrypted snapshot is not encrypted",
      }),
      when: setting(z.enum(["after-rollout", "before-migration"]).default("after-rollout"), {
        description:
          "`after-rollout`: neither the migration nor the rollout waits for the copy, and none of them fails with it. `before-migration`: the migration begins when the copy is complete.",
        example: "before-migration",
      }),
    })
    .optional(),
  keep: z
    .strictObject({
      last: setting(whole(1, 1_000).optional(), {
        description: "A backup stays as long as it is among the newest so many of the stack.",
        example: 20,
        without: "the number doesn't matter",
      }),
      days: setting(whole(1, 3_650, "days").optional(), {
        description: "A backup stays as long as it is younger than this, also beyond `backup.keep.last`.",
        example: 30,
        without: "the age doesn't matter",
      }),
    })
    .optional(),
  restore: setting(z.string().includes("{snapshot}", { message: "a command with {snapshot} in it" }).optional(), {
    description: "What the output `restore` tells people to type; `{snapshot}` stands for the snapshot's identifier.",
    example: "./restore.sh {snapshot}",
    without: "`npm run restore -- --stack STACK --to {snapshot}`",
  }),
  image: setting(image.optional(), {
    description:
      "With `dump`: an image with `pg_dump`, `pg_restore` and `sh`, of the server's major version or a newer one.",
    example: "postgres:17-alpine",
    without: "required with `backup.mode: dump`",
  }),
  dump: dump.optional(),
  branch: branch.optional(),
});
