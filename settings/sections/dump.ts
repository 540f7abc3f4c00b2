import { z } from "zod";
import { isAgeRecipient, RECIPIENT_ALLOWED } from "../age-recipient";
import { duration, memory, name, secretKey, setting, text, whole } from "../types";

const bucket = z
  .string()
  .regex(
    /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9!_.*'()-]+)*\/?$/,
    "a bucket and a prefix of names, such as s3://notes-backups/prod",
  )
  .transform((written) => written.replace(/\/$/, ""));

const endpoint = z
  .string()
  .regex(/^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/, "the address of a store, such as https://minio.example:9000");

/** The place and the encryption of a dump that is taken before a migration. */
export const dump = z.strictObject({
  to: setting(bucket.optional(), {
    description: "The bucket of S3, or of a store that speaks its protocol, with a prefix for the names.",
    example: "s3://notes-backups/prod",
    without: "`backup.dump.claim`",
  }),
  claim: setting(name(63).optional(), {
    description: "In place of a bucket: an existing PersistentVolumeClaim in the release's namespace.",
    example: "notes-backups",
    without: "`backup.dump.to`",
  }),
  recipients: setting(z.array(z.string().refine(isAgeRecipient, RECIPIENT_ALLOWED)).default([]), {
    description:
      "Public keys of age to which the dump is encrypted; the private keys are never in the cluster. An empty list leaves it in plain text, which `policy.encryption: required` refuses.",
    example: ["age1gde3ncmahlqd9gg50tanl99r960llztrhfapnmx853s4tjum03uqfssgdh"],
  }),
  endpoint: setting(endpoint.optional(), {
    description: "The address of a store that isn't Amazon's. Objects are then addressed by path.",
    example: "https://minio.example:9000",
    without: "Amazon S3",
  }),
  region: setting(text.optional(), {
    description: "The region of the bucket.",
    example: "eu-central-1",
    without: "the pod's `AWS_REGION`, or else `us-east-1`",
  }),
  secret: z
    .strictObject({
      name: setting(name(63), {
        description: "A Secret in the release's namespace with an access key of the store.",
        example: "notes-backup-store",
        without: "the pod's own identity (IRSA, EKS Pod Identity) by `migrations.serviceAccount`",
      }),
      accessKeyIdKey: setting(secretKey.default("AWS_ACCESS_KEY_ID"), {
        description: "Key of the access key's id.",
        example: "access-key-id",
      }),
      secretAccessKeyKey: setting(secretKey.default("AWS_SECRET_ACCESS_KEY"), {
        description: "Key of the access key itself.",
        example: "secret-access-key",
      }),
    })
    .optional(),
  jobs: setting(whole(1, 32).default(1), {
    description:
      "Connections that read tables at the same time. More than 1: `pg_dump` writes a folder on a disk of the pod, which is stored as one tar file when it is complete; with 1 the dump is streamed, and needs no disk.",
    example: 4,
  }),
  scratch: z
    .strictObject({
      size: setting(memory.optional(), {
        description:
          "With `jobs` above 1: the size of that disk. It must hold the compressed dump, often a tenth to a third of the database.",
        example: "200Gi",
        without: "as much as the node has",
      }),
      storageClass: setting(name(63).optional(), {
        description: "With `jobs` above 1: the StorageClass of a volume that is made for the pod and goes with it.",
        example: "gp3",
        without: "the node's own disk (`emptyDir`)",
      }),
    })
    .prefault({}),
  lockTimeout: setting(duration("1s", "1h").prefault("1m"), {
    description: "Longest wait for the lock of a table that another session has locked exclusively.",
    example: "5m",
  }),
});
