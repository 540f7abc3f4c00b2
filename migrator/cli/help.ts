import { OPTIONS } from "./options";

const VERB_TEXTS = [
  ["preflight", "find everything that would doom a deploy, before anything is touched"],
  ["deploy", "apply what is pending, and verify it"],
  [
    "run",
    "let another command migrate, such as the Prisma CLI, and verify it: run [options] -- npx prisma migrate deploy",
  ],
  ["verify", "is the database what the migrations promise?"],
  [
    "drift",
    "everything that differs between the database and its history, with the SQL for it; exit status 0, 9 when something does, 10 when that can't be told",
  ],
  [
    "adopt",
    "write what was changed by hand as a new migration: adopt --name NAME; exit status 0, 10 when a part of it has no SQL",
  ],
  ["compare", "after the rollout: what became slower since the last deploy"],
  [
    "status",
    "say what is applied and what is pending; exit status 0, 10 when something is pending, 4 when deploy would refuse",
  ],
  ["restored", "is a restored copy complete? schema version, rows, ANALYZE; with --server, and --expect FILE"],
  ["written", "which rows were written since the counters of --expect FILE, and who is connected; only reads"],
  ["resolve", "correct the record of one migration, after showing what the database really has of it"],
  ["wait", "wait until the database has the migrations of --for; only reads, takes no lock, and needs no folder"],
  ["baseline", "give a database that was made without Prisma its history"],
  [
    "sql",
    "run one reviewed file in one transaction, with the locks, the review and the audit of a migration: sql FILE",
  ],
  [
    "revert",
    "show or write the new migration that takes one back: revert MIGRATION --plan; exit status 0, 10 when a part can't be",
  ],
] as const;

/** Returns the text that `help` prints: the verbs, and every option with its default. */
export function helpText(): string {
  const options = Object.entries(OPTIONS).map(([name, { value, default: standard, text }]) => {
    const left = `  --${name}${value ? ` ${value}` : ""}`;
    return `${left.padEnd(32)} ${text}${standard ? ` (default ${standard})` : ""}`;
  });
  return [
    "migrator VERB [--migrations DIR | --payload DIR] [options]",
    "",
    ...VERB_TEXTS.map(([verb, text]) => `  ${verb.padEnd(10)} ${text}`),
    "",
    ...options,
    "",
    "The connection string is DIRECT_URL, or else DATABASE_URL, read as Prisma reads it. Without either:",
    "DIRECT_URL_FILE or DATABASE_URL_FILE names a file that holds it, or JSON as AWS Secrets Manager keeps it;",
    "or else PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE are its parts.",
    "",
  ].join("\n");
}
