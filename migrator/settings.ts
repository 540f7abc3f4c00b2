import { parseArgs } from "node:util";
import { parseDuration } from "./duration";
import { UsageFailure } from "./failures/usage";

export const VERBS = ["deploy", "status"] as const;
export type Verb = (typeof VERBS)[number];

/** What a run was asked to do; durations in milliseconds. */
export interface Settings {
  readonly verb: Verb;
  /** Names given after the verb. */
  readonly names: readonly string[];
  readonly source: { directory: string } | { payload: string };
  readonly url: string;
  readonly json: boolean;
  readonly rerun: string;
  readonly releaseId: string | undefined;
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  readonly lockBudget: number;
  readonly runnerWait: number;
  readonly connectWait: number;
  readonly maxReplicationLag: number;
  readonly allowAhead: boolean;
  readonly snapshot: { id: string; createdAt: Date; maxAge: number } | undefined;
}

/** Every option: what it means, and its default where it has one. `help` prints this table. */
export const OPTIONS: Record<string, { value?: string; default?: string; text: string }> = {
  migrations: { value: "DIR", text: "the Prisma folder with migration_lock.toml" },
  payload: { value: "DIR", text: "the folder with payload-0, payload-1, … (in the Job's pod)" },
  url: {
    value: "URL",
    text: "connection string; better DIRECT_URL or DATABASE_URL in the environment, which nobody sees",
  },
  json: { text: "one JSON object a line instead of text" },
  "lock-timeout": {
    value: "TIME",
    default: "5s",
    text: "longest wait for a lock, and so longest stall of the app's queries",
  },
  "statement-timeout": { value: "TIME", default: "15m", text: "longest run of one statement" },
  "lock-budget": { value: "TIME", default: "10m", text: "how long locks are tried for again and again" },
  "runner-wait": { value: "TIME", default: "10m", text: "how long to wait for another migrator" },
  "connect-wait": { value: "TIME", default: "10s", text: "how long a refused connection is tried again" },
  "max-replication-lag": {
    value: "TIME",
    default: "10s",
    text: "replicas further behind than this are waited for between batches",
  },
  "allow-ahead": { text: "the database may have migrations that the folder has not: the app goes back on purpose" },
  snapshot: { value: "ID", text: "the snapshot that protects this run" },
  "snapshot-created-at": { value: "TIME", text: "when it was taken, ISO 8601" },
  "snapshot-max-age": { value: "TIME", default: "1h", text: "older than this, nothing is migrated" },
  rerun: { value: "COMMAND", text: "what takes up the release again; named in messages" },
};

/** @throws UsageFailure with every mistake at once. */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const mistakes: string[] = [];
  const { values, positionals } = parse(args, mistakes);
  const text = (name: string) => (typeof values[name] === "string" ? (values[name] as string) : undefined);
  const duration = (name: string): number => {
    const given = text(name) ?? OPTIONS[name]!.default!;
    const value = parseDuration(given);
    if (value === undefined || value === 0)
      mistakes.push(`--${name} is "${given}", and must be a time such as 500ms, 5s, 15m or 1h30m.`);
    return value ?? 0;
  };
  const [verb, ...names] = positionals;
  if (!VERBS.includes(verb as Verb))
    mistakes.push(`The verb is "${verb ?? ""}", and must be one of ${VERBS.join(", ")}.`);
  const url = text("url") ?? (environment.DIRECT_URL || environment.DATABASE_URL);
  if (!url) mistakes.push("There is no connection string: set DIRECT_URL or DATABASE_URL.");
  const directory = text("migrations");
  const payload = text("payload");
  if ((directory === undefined) === (payload === undefined)) mistakes.push("Give either --migrations or --payload.");
  const settings: Settings = {
    verb: verb as Verb,
    names,
    source: payload === undefined ? { directory: directory ?? "" } : { payload },
    url: url ?? "",
    json: values.json === true,
    rerun:
      text("rerun") ??
      (payload === undefined
        ? `npm run migrator -- ${args[0]} (the same options)`
        : "pulumi up (the same command as before)"),
    releaseId: environment.RELEASE_ID || undefined,
    lockTimeout: duration("lock-timeout"),
    statementTimeout: duration("statement-timeout"),
    lockBudget: duration("lock-budget"),
    runnerWait: duration("runner-wait"),
    connectWait: duration("connect-wait"),
    maxReplicationLag: duration("max-replication-lag"),
    allowAhead: values["allow-ahead"] === true,
    snapshot: readSnapshot(text, duration("snapshot-max-age"), mistakes),
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return settings;
}

function parse(args: readonly string[], mistakes: string[]) {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { value }]) => [
      name,
      { type: value ? ("string" as const) : ("boolean" as const) },
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
  const createdAt = new Date(created);
  if (Number.isNaN(createdAt.getTime()))
    mistakes.push(`--snapshot-created-at is "${created}", and must be a time as in ISO 8601.`);
  return { id, createdAt, maxAge };
}
