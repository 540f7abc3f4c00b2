import { z } from "zod";
import { findingClasses } from "../finding-classes";
import { command, duration, setting, text, whole } from "../types";

const REQUIRED = ["required", "optional"] as const;

/** What may have to exist for the migrations of a release before it begins. */
const PROOFS = ["review", "staging", "rehearsal"] as const;

const FULL_NAME = "the full name of a stack: organization/project/stack";

/** The requirements of an environment. */
export const policy = z.strictObject({
  pinnedImages: setting(z.boolean().default(false), {
    description: "Every image must be named by its digest.",
    example: true,
  }),
  backup: setting(z.enum(REQUIRED).default("required"), {
    description: "With `optional`, `backup.mode: none` is allowed.",
    example: "required",
  }),
  encryption: setting(z.enum(REQUIRED).default("optional"), {
    description:
      "With `required`, a snapshot that is not encrypted ends the release before the migration, and a dump needs `backup.dump.recipients`. A branch of Neon is encrypted by Neon.",
    example: "required",
  }),
  proof: setting(z.array(z.enum(PROOFS)).default([]), {
    description:
      "What must exist for these very migrations, or the release ends before anything is touched: a `review` that ran them on a real Postgres, the same migrations live in `staging`, a `rehearsal` on a copy; see rehearsal.md.",
    values: `list of ${PROOFS.map((each) => `\`${each}\``).join(", ")}`,
    example: ["review", "rehearsal"],
  }),
  staging: setting(
    z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+\/[\w.-]+$/, FULL_NAME)
      .optional(),
    {
      description: "The stack that must have the same migrations live, with `staging` in `policy.proof`.",
      example: "organization/notes/staging",
      without: "required with `staging`, left out otherwise",
    },
  ),
  protect: setting(z.boolean().default(false), {
    description: "Pulumi refuses to delete or replace the Deployment and the Service.",
    example: true,
  }),
});

const acknowledgement = z.strictObject({
  migration: text,
  finding: text,
  checksum: z.string().regex(/^[0-9a-f]{8,64}$/, "the first 8 or more characters of the migration's checksum"),
  reason: text,
});

const SEED = "a file that ends with .sql, or a list: program and arguments";
const sqlFile = z.string().endsWith(".sql", { message: SEED });

/** Which findings of the review end a release, and which of these are allowed nevertheless. */
export const review = z.strictObject({
  refuse: setting(z.array(z.enum(findingClasses)).default([]), {
    description: "Classes of findings that end the release.",
    values: `list of ${findingClasses.map((each) => `\`${each}\``).join(", ")}`,
    example: ["destructive", "blocking"],
  }),
  acknowledgements: setting(z.array(acknowledgement).default([]), {
    description:
      'Findings that are released on purpose: "I know, and want it all the same". The refusal prints what to paste; a change of the file makes it stale.',
    values: "list of `{migration, finding, checksum, reason}`",
    example: [
      {
        migration: "20260301100000_drop_pinned",
        finding: "drop-column notes.pinned",
        checksum: "5a3c09f1",
        reason: "No version of the app has read it since May.",
      },
    ],
  }),
  schema: setting(z.union([text, z.literal(false)]).optional(), {
    description:
      "The Prisma schema that `npm run review` compares with the migrations: a file, or a folder of `*.prisma` files. `false`: none is compared.",
    values: "path, or `false`",
    example: "prisma/schema.prisma",
    without: "found by Prisma's own rules, beside the migrations",
  }),
  run: setting(z.boolean().default(true), {
    description:
      "Whether `preview` runs the pending migrations on a temporary Postgres, for at most 20 s, where its binaries are on the machine already.",
    example: false,
  }),
  postgres: setting(whole(13, 18).default(18), {
    description: "The major version of Postgres on which `npm run review -- --run` and `preview` run the migrations.",
    example: 16,
  }),
  seed: setting(z.union([sqlFile, command], { error: () => SEED }).optional(), {
    description:
      "Rows for `npm run review -- --run` and `preview`, which the new migrations then meet: a file of SQL, or a command that finds the temporary database in `DATABASE_URL`. It runs after the migrations that are deployed already.",
    values: `${SEED}, relative to the program`,
    example: "prisma/seed.sql",
    without: "the tables have the rows of the migrations only",
  }),
  since: setting(text.optional(), {
    description:
      "The last migration that the database has, where the stack's outputs don't tell what is live. Only for what `preview` shows; the preflight Job finds it out.",
    example: "20260216090500_expand_note_subject",
    without: "none",
  }),
});

const stated = (description: string, example: string) =>
  setting(text.optional(), { description, example, without: "not stated" });

/** The release's report: its folder, and information that no software can determine. */
export const report = z.strictObject({
  directory: setting(text.optional(), {
    description:
      "Folder, relative to the program: the page of each release is written to `<stack>-<releaseId>.md` in it, as the last step. Needs `kubectl` on the PATH where `pulumi up` runs.",
    example: "reports",
    without: "no page",
  }),
  tested: stated("Where the migrations were tested before, and when.", "on staging, 2026-03-01"),
  rollback: stated("The way back.", "the snapshot, or the image before"),
  window: stated("The maintenance window.", "Sundays, 02:00 to 04:00 UTC"),
  monitoring: stated("Who watches what.", "on call: latency and errors of notes"),
  application: stated("What was checked in the app.", "log in, write a note, search for it"),
});

/** A check of the new version from outside of the cluster. */
export const smoke = z.strictObject({
  command: setting(text, {
    description:
      "Shell command, run once a release after the rollout, where `pulumi up` runs; it gets `RELEASE_URL` and `RELEASE_ID`.",
    example: "curl --fail https://notes.example.com/health",
    without: "no smoke check",
  }),
  timeout: setting(duration("1s", "1h").prefault("2m"), { description: "Time that it may take.", example: "5m" }),
});

/** Settings of the release itself. */
export const release = z.strictObject({
  attempt: setting(whole(1, 10_000).default(1), {
    description: "Raised to do a release again from the start, with a fresh backup.",
    example: 2,
    decidesRelease: true,
  }),
});
