import type { Given, Options } from "../by-hand/options";

/** A verb that may be run by hand. All of them but `rehearse` and `prune` are the migrator's, and run in the cluster. */
interface OpsVerb {
  readonly text: string;
  /** The options of the verb, which the migrator has too if the verb is its own. */
  readonly options: Options;
  /** What follows the verb: a file of SQL, or the name of a migration. */
  readonly argument?: "FILE" | "MIGRATION";
  /** Says what the verb will change, for the line before it runs; undefined: it only reads. */
  changes?(given: Given): string | undefined;
}

const FORCE = { text: "also against what the catalog shows" };

const NAME = { value: "NAME", text: "the name of the new migration, without its time" };

const OUTPUTS = {
  value: "FILE",
  text: "the stack's outputs, as `pulumi stack output --json` prints them (default: the Pulumi CLI is asked)",
};

/** The verbs, in the order of the help. */
export const OPS_VERBS = {
  status: {
    text: "what is applied and what is pending; exit status 0, 10 when something is pending, 4 when a release would be refused",
    options: {},
  },
  resolve: {
    text: "correct the record of one migration, after showing what the database really has of it",
    options: {
      diagnose: { value: "MIGRATION", text: "show from the catalog what of it is applied; changes nothing" },
      applied: { value: "MIGRATION", text: "record it as applied" },
      "rolled-back": { value: "MIGRATION", text: "record it as rolled back, so that the next release applies it" },
      force: FORCE,
    },
    changes: ({ applied, "rolled-back": rolledBack }) =>
      applied !== undefined
        ? `records ${String(applied)} as applied; none of its SQL is run`
        : rolledBack !== undefined
          ? `records ${String(rolledBack)} as rolled back; none of its SQL is run`
          : undefined,
  },
  baseline: {
    text: "give a database that was made without Prisma its history",
    options: {
      through: { value: "MIGRATION", text: "the last migration that the database already has" },
      write: { text: "write today's schema as the first migration into the checkout; --through then records it" },
      name: { ...NAME, text: `--write: ${NAME.text}` },
      force: FORCE,
    },
    changes: ({ through }) =>
      through === undefined
        ? undefined
        : `records every migration up to ${String(through)} as applied; none of their SQL is run`,
  },
  drift: {
    text: "everything that differs between the database and its history, with the SQL for it; exit status 0, 9 when something does, 10 when that can't be told",
    options: {
      format: { value: "FORMAT", text: "text (default), json or sql" },
      direction: {
        value: "DIRECTION",
        text: "with --format sql: to-history (default), a migration for what was done by hand, or to-database, which takes it back",
      },
    },
  },
  adopt: {
    text: "write what was changed by hand as a new migration into the checkout; exit status 0, 10 when a part of it has no SQL",
    options: { name: NAME },
  },
  compare: { text: "what became slower since the last release", options: {} },
  verify: { text: "is the database what the migrations promise?", options: {} },
  sql: {
    text: "run one reviewed file in one transaction, with the locks, the review and the audit of a migration",
    argument: "FILE",
    options: {
      hotfix: {
        value: "NAME",
        text: "record it as the migration <time>_NAME, and write its folder into the checkout; it may run in steps",
      },
      acknowledge: {
        value: "JSON",
        many: true,
        text: "accept a finding of the review, as its message shows; repeatable",
      },
    },
    changes: ({ hotfix }) =>
      hotfix === undefined
        ? "runs it in one transaction, under the lock that migrations take"
        : `runs it as the migration <time>_${String(hotfix)}, and records it in the history`,
  },
  revert: {
    text: "show the new migration that takes one back, what is lost by it, and its review; exit status 0, 10 when a part can't be taken back",
    argument: "MIGRATION",
    options: { plan: { text: "show it; it is written by the migrator, in the checkout" } },
  },
  rehearse: {
    text: "apply the migrations to a copy of the database, measure them, and delete the copy; exit status 0 passed, 1 failed",
    options: {
      to: {
        value: "BACKUP",
        text: "the backup that is restored: its name, a time, or latest (default: the newest, as rehearsal.from says)",
      },
      outputs: OUTPUTS,
      identity: {
        value: "FILE",
        text: "for an encrypted dump: the file with the private key of age, which stays here",
      },
      timeout: { value: "TIME", text: "the longest time for everything but the removal (default: rehearsal.timeout)" },
    },
  },
  prune: {
    text: "remove backups that are older than backup.keep says, and what rehearsals have left; exit status 0, 1 when one could not be removed",
    options: {
      plan: { text: "show which ones stay and why, and remove none" },
      except: { value: "NAME", many: true, text: "a backup that stays in any case; repeatable" },
      outputs: OUTPUTS,
      timeout: { value: "TIME", text: "the longest time for everything (default: none)" },
    },
  },
} satisfies Record<string, OpsVerb>;

/** The name of one of {@link OPS_VERBS}. */
export type OpsVerbName = keyof typeof OPS_VERBS;

/** Returns the verb of that name; undefined if there is none. */
export function verbOf(name: string): OpsVerb | undefined {
  return Object.hasOwn(OPS_VERBS, name) ? OPS_VERBS[name as OpsVerbName] : undefined;
}
