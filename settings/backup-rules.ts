import { type Problem, problem, type Rule } from "./rule";
import type { Settings } from "./schema";

type BackupSettings = Settings["backup"];
type Mode = BackupSettings["mode"];

/** The keys of `backup` that only some modes know, with these modes. */
const KEYS: readonly {
  key: "restore" | "kmsKey" | "copy" | "keep" | "image" | "dump" | "branch";
  modes: readonly Mode[];
}[] = [
  { key: "restore", modes: ["snapshot"] },
  { key: "kmsKey", modes: ["snapshot"] },
  { key: "copy", modes: ["snapshot"] },
  { key: "keep", modes: ["snapshot", "dump", "branch"] },
  { key: "image", modes: ["dump"] },
  { key: "dump", modes: ["dump"] },
  { key: "branch", modes: ["branch"] },
];

/** The tags that a release sets itself, and by which its snapshots are found again. */
const OWN_TAGS = ["project", "stack", "app", "commit", "release", "migrations"] as const;

/** The most tags that AWS allows on one resource. */
const MOST_TAGS = 50;

/** The keys of `backup.dump.scratch`. */
const SCRATCH_KEYS = ["size", "storageClass"] as const;

/** The keys of `backup.dump` that describe a bucket. */
const BUCKET_KEYS = ["endpoint", "region", "secret"] as const;

/** The rules for the backup that is taken before a migration. */
export const backupRules: Rule[] = [
  {
    needs: ["backup", "policy"],
    broken: ({ backup, policy }) =>
      problem(
        policy.backup === "required" && backup.mode === "none",
        ["backup", "mode"],
        '"snapshot", "dump" or "branch", because policy.backup is "required"',
      ),
  },
  {
    needs: ["backup", "migrations"],
    broken: ({ backup: { mode, maxAge }, migrations: { soak } }) =>
      problem(
        mode !== "none" && maxAge.seconds <= soak.seconds,
        ["backup", "maxAge"],
        `longer than migrations.soak (${soak}), after which the contract migrations still rely on the ${mode}`,
      ),
  },
  {
    needs: ["backup", "database"],
    broken: ({ backup: { mode }, database: { identifier } }) =>
      problem(
        mode === "snapshot" && identifier === undefined,
        ["database", "identifier"],
        'the DB identifier of RDS, because backup.mode is "snapshot" (without RDS: backup.mode: dump or branch)',
      ),
  },
  {
    needs: ["backup"],
    broken: ({ backup }) =>
      KEYS.flatMap(({ key, modes }) =>
        problem(
          backup[key] !== undefined && !modes.includes(backup.mode),
          ["backup", key],
          `left out, because backup.mode is "${backup.mode}"`,
        ),
      ),
  },
  { needs: ["backup"], broken: ({ backup }) => (backup.mode === "dump" ? dumpProblems(backup) : []) },
  {
    needs: ["backup"],
    broken: ({ backup: { mode, branch } }) =>
      problem(
        mode === "branch" && branch === undefined,
        ["backup", "branch"],
        'a group of keys: the project of Neon and the Secret with its API key, because backup.mode is "branch"',
      ),
  },
  {
    needs: ["backup", "policy"],
    broken: ({ backup: { mode, dump }, policy: { encryption } }) =>
      problem(
        mode === "dump" && encryption === "required" && dump?.recipients.length === 0,
        ["backup", "dump", "recipients"],
        'at least one public key of age, because policy.encryption is "required"',
      ),
  },
  {
    needs: ["backup", "policy"],
    broken: ({ backup: { image = "@sha256:" }, policy: { pinnedImages } }) =>
      problem(
        pinnedImages && !image.includes("@sha256:"),
        ["backup", "image"],
        "an image pinned by its digest (…@sha256:…), because policy.pinnedImages is true",
      ),
  },
  {
    needs: ["backup"],
    broken: ({ backup: { tags } }) => [
      ...OWN_TAGS.flatMap((key) =>
        problem(
          Object.hasOwn(tags, key),
          ["backup", "tags", key],
          "left out, because the release sets this tag itself",
        ),
      ),
      ...problem(
        Object.keys(tags).length > MOST_TAGS - OWN_TAGS.length,
        ["backup", "tags"],
        `at most ${MOST_TAGS - OWN_TAGS.length} tags: AWS allows ${MOST_TAGS}, and the release sets ${OWN_TAGS.length}`,
      ),
    ],
  },
  {
    needs: ["backup"],
    broken: ({ backup: { keep } }) =>
      problem(
        keep !== undefined && keep.last === undefined && keep.days === undefined,
        ["backup", "keep"],
        "a group with last, days or both",
      ),
  },
  { needs: ["backup", "policy"], broken: ({ backup, policy }) => copyProblems(backup.copy, policy.encryption) },
];

/**
 * The regions to which RDS copies a snapshot only by a presigned URL.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html (PreSignedUrl)
 */
const PRESIGNED = /^(us-gov|cn)-/;

function copyProblems(copy: BackupSettings["copy"], encryption: Settings["policy"]["encryption"]): Problem[] {
  if (!copy) return [];
  const { region, kmsKey } = copy;
  return [
    ...problem(
      PRESIGNED.test(region),
      ["backup", "copy", "region"],
      "a region outside of AWS GovCloud and China, where RDS copies only by a presigned URL, which a release doesn't make",
    ),
    ...problem(
      kmsKey !== undefined && kmsKey.split(":")[3] !== region,
      ["backup", "copy", "kmsKey"],
      `a key in backup.copy.region (${region})`,
    ),
    ...problem(
      kmsKey === undefined && encryption === "required",
      ["backup", "copy", "kmsKey"],
      `the ARN of a KMS key in ${region}, because policy.encryption is "required"`,
    ),
  ];
}

function dumpProblems({ image, dump }: BackupSettings): Problem[] {
  const because = 'because backup.mode is "dump"';
  return [
    ...problem(
      image === undefined,
      ["backup", "image"],
      `an image with pg_dump of the server's major version or a newer one, such as postgres:17-alpine, ${because}`,
    ),
    ...(dump === undefined
      ? problem(true, ["backup", "dump"], `a group of keys: where the dump goes, ${because}`)
      : [
          ...problem(
            dump.to === undefined && dump.claim === undefined,
            ["backup", "dump", "to"],
            "a bucket, such as s3://notes-backups/prod, unless backup.dump.claim names a PersistentVolumeClaim",
          ),
          ...problem(
            dump.to !== undefined && dump.claim !== undefined,
            ["backup", "dump", "claim"],
            "left out, because backup.dump.to is given",
          ),
          ...SCRATCH_KEYS.flatMap((key) =>
            problem(
              dump.jobs === 1 && dump.scratch[key] !== undefined,
              ["backup", "dump", "scratch", key],
              "left out, because backup.dump.jobs is 1: such a dump needs no disk",
            ),
          ),
          ...problem(
            dump.scratch.storageClass !== undefined && dump.scratch.size === undefined,
            ["backup", "dump", "scratch", "size"],
            "the size of the volume, such as 200Gi, because backup.dump.scratch.storageClass is given",
          ),
          ...BUCKET_KEYS.flatMap((key) =>
            problem(
              dump.to === undefined && dump[key] !== undefined,
              ["backup", "dump", key],
              "left out, because backup.dump.to names no bucket",
            ),
          ),
        ]),
  ];
}
