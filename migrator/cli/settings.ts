import { parseArgs } from "node:util";
import { parseBytes } from "../../text/bytes";
import { parseDuration } from "../../text/short-duration";
import { LEVELS, type Level } from "../checks/finding";
import { PREFLIGHT_CHECKS } from "../checks/preflight";
import { type ReviewSettings, readReview } from "../checks/review-settings";
import { VERIFY_CHECKS } from "../checks/verify";
import { UsageFailure } from "../failures/usage";
import type { Resolution } from "../verbs/resolve";

export const VERBS = ["preflight", "deploy", "run", "verify", "compare", "status", "resolve", "baseline"] as const;
/** Names for `--check`. */
export const CHECK_NAMES: readonly string[] = [...PREFLIGHT_CHECKS, ...VERIFY_CHECKS].map(({ name }) => name);
export type Verb = (typeof VERBS)[number];

/** What a run was asked to do; durations in milliseconds. */
export interface Settings {
  readonly verb: Verb;
  /** Of `run`: the program that migrates, with its arguments. */
  readonly command: readonly string[];
  readonly commandTimeout: number;
  /** Of `run`: further variables in which the command looks for the connection string. */
  readonly urlVariables: readonly string[];
  /** Of `resolve`: which migration, and how. */
  readonly resolution: { name: string; resolution: Resolution } | undefined;
  /** Of `baseline`: the last migration that the database already has. */
  readonly through: string | undefined;
  readonly force: boolean;
  readonly source: { directory: string } | { payload: string };
  readonly url: string;
  readonly json: boolean;
  /** Errors and notices are shown with the server's whole text, which may hold values of rows. */
  readonly showValues: boolean;
  readonly rerun: string;
  readonly releaseId: string | undefined;
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  readonly lockRetryTimeout: number;
  readonly runnerWait: number;
  readonly connectWait: number;
  readonly maxReplicationLag: number;
  readonly maxTransactionAge: number;
  /** Percent. */
  readonly maxConnectionsPercent: number;
  /** Percent. */
  readonly maxSequencePercent: number;
  /** Percent. */
  readonly maxRowLossPercent: number;
  /** Bytes. */
  readonly maxSlotWal: number;
  /** Bytes. */
  readonly diskFree: number | undefined;
  /** By name of the check; others have the level of the check itself. */
  readonly levels: Readonly<Record<string, Level>>;
  /** For the report: what only people know. */
  readonly notes: Readonly<Record<string, string>>;
  readonly review: ReviewSettings;
  readonly allowDatabaseAhead: boolean;
  /** Before a rollout: contract migrations are left for after it. */
  readonly holdContract: boolean;
  /** After a rollout: how long the new version has served before its contract migrations are applied. */
  readonly soak: number;
  readonly afterRollout: boolean;
  readonly snapshot: { id: string; taken: Taken | "gone"; maxAge: number } | undefined;
}

/** Every option: what it means, and its default where it has one. `help` prints this table. */
export const OPTIONS: Record<string, { value?: string; default?: string; many?: true; text: string }> = {
  migrations: { value: "DIR", text: "the Prisma folder with migration_lock.toml" },
  payload: { value: "DIR", text: "the folder with payload-0, payload-1, … (in the Job's pod)" },
  url: {
    value: "URL",
    text: "connection string; better DIRECT_URL or DATABASE_URL in the environment, which nobody sees",
  },
  json: { text: "one JSON object a line instead of text" },
  "show-values": { text: "show the server's errors and notices as they are, with values of rows in them" },
  "lock-timeout": {
    value: "TIME",
    default: "5s",
    text: "longest wait for a lock, and so longest stall of the app's queries",
  },
  "statement-timeout": { value: "TIME", default: "15m", text: "longest run of one statement" },
  "lock-retry-timeout": { value: "TIME", default: "10m", text: "how long locks are tried for again and again" },
  "runner-wait": { value: "TIME", default: "10m", text: "how long to wait for another migrator" },
  "connect-wait": { value: "TIME", default: "10s", text: "how long a refused connection is tried again" },
  "max-replication-lag": {
    value: "TIME",
    default: "10s",
    text: "replicas further behind than this are waited for between batches",
  },
  "max-slot-wal": {
    value: "SIZE",
    default: "1GiB",
    text: "preflight: unread replication slots that hold back more WAL are findings",
  },
  "max-transaction-age": { value: "TIME", default: "5m", text: "preflight: older transactions are findings" },
  "max-connections-percent": {
    value: "PERCENT",
    default: "80",
    text: "preflight: more connections in use are a finding",
  },
  "max-sequence-percent": {
    value: "PERCENT",
    default: "80",
    text: "preflight: sequences used up further are findings",
  },
  "max-row-loss-percent": {
    value: "PERCENT",
    default: "5",
    text: "verify: tables that lost more of their rows are findings",
  },
  "disk-free": { value: "SIZE", text: "preflight: free disk, such as 20GiB; Postgres can't tell" },
  check: { value: "NAME=LEVEL", many: true, text: "level of a check: fail, warn or off; repeatable" },
  note: {
    value: "KEY=TEXT",
    many: true,
    text: "for the report: tested, rollback, window, monitoring, application; repeatable",
  },
  refuse: {
    value: "CLASS",
    many: true,
    text: "preflight: pending migrations with findings of this class end the release (review.refuse); repeatable",
  },
  acknowledge: { value: "JSON", many: true, text: "preflight: one entry of review.acknowledgements; repeatable" },
  runner: { value: "NAME", default: "migrator", text: "preflight: who will migrate, `migrator` or `command`" },
  "allow-database-ahead": {
    text: "the database may have migrations that the folder has not: the app goes back on purpose",
  },
  "hold-contract": { text: "deploy: leave migrations marked `-- release: contract` for after the rollout" },
  "after-rollout": { text: "deploy: the new version is rolled out; apply what was left for now" },
  soak: { value: "TIME", default: "1s", text: "with --after-rollout: how long the new version serves before that" },
  "command-timeout": { value: "TIME", default: "30m", text: "run: longest run of the command" },
  "url-variable": {
    value: "NAME",
    many: true,
    text: "run: sets the connection string in this variable too; repeatable",
  },
  snapshot: { value: "ID", text: "the snapshot that protects this run" },
  "snapshot-created-at": { value: "TIME", text: "when it was begun, ISO 8601; `gone` where it was deleted" },
  "snapshot-completed-at": { value: "TIME", text: "when it became available; default: when it was begun" },
  "snapshot-max-age": { value: "TIME", default: "1h", text: "longer ago than this, nothing is migrated" },
  diagnose: { value: "MIGRATION", text: "resolve: show from the catalog what of it is applied; changes nothing" },
  applied: { value: "MIGRATION", text: "resolve: record it as applied" },
  "rolled-back": { value: "MIGRATION", text: "resolve: record it as rolled back, so that deploy applies it" },
  through: { value: "MIGRATION", text: "baseline: the last migration that the database already has" },
  force: { text: "resolve, baseline: also against what the catalog shows" },
  rerun: { value: "COMMAND", text: "what takes up the release again; named in messages" },
};

/** @throws UsageFailure with every mistake at once. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const mistakes: string[] = [];
  // What stands behind `--` is a command of its own, not ours to read.
  const end = args.indexOf("--");
  const command = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals } = parse(end < 0 ? args : args.slice(0, end), mistakes);
  const text = (name: string) => (typeof values[name] === "string" ? (values[name] as string) : undefined);
  const list = (name: string) => (Array.isArray(values[name]) ? (values[name] as unknown[]).map(String) : []);
  const percent = (name: string): number => {
    const given = text(name) ?? OPTIONS[name]!.default!;
    if (!/^\d{1,3}(\.\d+)?$/.test(given) || Number(given) > 100)
      mistakes.push(`--${name} is "${given}", and must be a number from 0 to 100.`);
    return Number(given);
  };
  const duration = (name: string): number => {
    const given = text(name) ?? OPTIONS[name]!.default!;
    const value = parseDuration(given);
    if (value === undefined || value === 0)
      mistakes.push(`--${name} is "${given}", and must be a time such as 500ms, 5s, 15m or 1h30m.`);
    return value ?? 0;
  };
  const [verb, ...others] = positionals;
  for (const other of others) mistakes.push(`"${other}" is too many: there is one verb.`);
  if (verb === "baseline" && text("through") === undefined) mistakes.push("baseline needs --through MIGRATION.");
  if (!VERBS.includes(verb as Verb))
    mistakes.push(`The verb is "${verb ?? ""}", and must be one of ${VERBS.join(", ")}.`);
  if (verb === "run" && command.length === 0)
    mistakes.push("run needs the command that migrates behind `--`, such as: run … -- npx prisma migrate deploy.");
  if (verb !== "run" && command.length > 0) mistakes.push("Only run takes a command behind `--`.");
  const url = text("url") ?? (environment["DIRECT_URL"] || environment["DATABASE_URL"]);
  if (!url) mistakes.push("There is no connection string: set DIRECT_URL or DATABASE_URL.");
  const directory = text("migrations");
  const payload = text("payload");
  if ((directory === undefined) === (payload === undefined)) mistakes.push("Give either --migrations or --payload.");
  const settings: Settings = {
    verb: verb as Verb,
    command,
    commandTimeout: duration("command-timeout"),
    urlVariables: list("url-variable"),
    resolution: verb === "resolve" ? readResolution(text, mistakes) : undefined,
    through: text("through"),
    force: values["force"] === true,
    source: payload === undefined ? { directory: directory ?? "" } : { payload },
    url: url ?? "",
    json: values["json"] === true,
    showValues: values["show-values"] === true,
    rerun:
      text("rerun") ??
      (payload === undefined
        ? `npm run migrator -- ${args[0]} (the same options)`
        : "pulumi up (the same command as before)"),
    releaseId: environment["RELEASE_ID"] || undefined,
    lockTimeout: duration("lock-timeout"),
    statementTimeout: duration("statement-timeout"),
    lockRetryTimeout: duration("lock-retry-timeout"),
    runnerWait: duration("runner-wait"),
    connectWait: duration("connect-wait"),
    maxReplicationLag: duration("max-replication-lag"),
    maxTransactionAge: duration("max-transaction-age"),
    maxConnectionsPercent: percent("max-connections-percent"),
    maxSequencePercent: percent("max-sequence-percent"),
    maxRowLossPercent: percent("max-row-loss-percent"),
    maxSlotWal: readBytes("max-slot-wal", text("max-slot-wal") ?? OPTIONS["max-slot-wal"]!.default, mistakes) ?? 0,
    diskFree: readBytes("disk-free", text("disk-free"), mistakes),
    levels: readLevels(list("check"), mistakes),
    notes: readNotes(list("note"), mistakes),
    review: readReview(list("refuse"), list("acknowledge"), text("runner") ?? "migrator", mistakes),
    allowDatabaseAhead: values["allow-database-ahead"] === true,
    holdContract: values["hold-contract"] === true,
    afterRollout: values["after-rollout"] === true,
    soak: values["after-rollout"] === true ? duration("soak") : 0,
    snapshot: readSnapshot(text, duration("snapshot-max-age"), mistakes),
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return settings;
}

function parse(args: readonly string[], mistakes: string[]) {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { value, many = false }]) => [
      name,
      { type: value ? ("string" as const) : ("boolean" as const), multiple: many },
    ]),
  );
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = OPTIONS[token.name];
    if (!option) mistakes.push(`${token.rawName} is no option.`);
    // The value itself is not repeated: it may be a connection string.
    else if (option.value && token.value === undefined)
      mistakes.push(`${token.rawName} needs a value (${option.value}).`);
    else if (!option.value && token.value !== undefined) mistakes.push(`${token.rawName} takes no value.`);
  }
  return { values, positionals };
}

function readBytes(name: string, given: string | undefined, mistakes: string[]): number | undefined {
  const value = given === undefined ? undefined : parseBytes(given);
  if (given !== undefined && value === undefined)
    mistakes.push(`--${name} is "${given}", and must be a size such as 500MiB or 20GiB.`);
  return value;
}

function readLevels(given: readonly string[], mistakes: string[]): Record<string, Level> {
  const levels: Record<string, Level> = {};
  for (const each of given) {
    const [name = "", level] = each.split("=");
    if (!CHECK_NAMES.includes(name))
      mistakes.push(`--check ${each}: there is no check "${name}"; there are ${CHECK_NAMES.join(", ")}.`);
    else if (!LEVELS.includes(level as Level))
      mistakes.push(`--check ${each}: the level must be one of ${LEVELS.join(", ")}.`);
    else levels[name] = level as Level;
  }
  return levels;
}

function readNotes(given: readonly string[], mistakes: string[]): Record<string, string> {
  const notes: Record<string, string> = {};
  for (const each of given) {
    const at = each.indexOf("=");
    if (at < 1) mistakes.push(`--note ${each} must have the form KEY=TEXT.`);
    else notes[each.slice(0, at)] = each.slice(at + 1);
  }
  return notes;
}

function readResolution(text: (name: string) => string | undefined, mistakes: string[]): Settings["resolution"] {
  const given = (["diagnose", "applied", "rolled-back"] as const).filter((name) => text(name) !== undefined);
  const [resolution] = given;
  if (resolution !== undefined && given.length === 1) return { name: text(resolution)!, resolution };
  mistakes.push("resolve needs one of --diagnose, --applied and --rolled-back, with the name of a migration.");
  return undefined;
}

/** Milliseconds by which the clocks of RDS and of a node may differ. */
const CLOCK_DIFFERENCE = 10 * 60_000;

/** When a snapshot was begun, and when it became available. */
interface Taken {
  readonly createdAt: Date;
  readonly completedAt: Date;
}

function readSnapshot(
  text: (name: string) => string | undefined,
  maxAge: number,
  mistakes: string[],
): Settings["snapshot"] {
  const id = text("snapshot");
  const created = text("snapshot-created-at");
  if (id === undefined && created === undefined) return undefined;
  if (id === undefined || created === undefined) {
    mistakes.push("--snapshot and --snapshot-created-at go together.");
    return undefined;
  }
  if (created === "gone") return { id, taken: "gone", maxAge };
  const time = (option: string, given: string) => {
    const read = new Date(given);
    if (Number.isNaN(read.getTime())) mistakes.push(`--${option} is "${given}", and must be a time as in ISO 8601.`);
    if (read.getTime() > Date.now() + CLOCK_DIFFERENCE)
      mistakes.push(`--${option} is "${given}", which is in the future: is the clock of this machine right?`);
    return read;
  };
  const createdAt = time("snapshot-created-at", created);
  const completed = text("snapshot-completed-at");
  const completedAt = completed === undefined ? createdAt : time("snapshot-completed-at", completed);
  return { id, taken: { createdAt, completedAt }, maxAge };
}
