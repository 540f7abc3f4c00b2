import { basename } from "node:path";
import { parseArgs } from "node:util";
import { HOTFIX_NAME, HOTFIX_NAME_RULE } from "../../migrations/history/hotfix";
import { checkNames, LEVELS, type Level } from "../../settings/checks";
import { isObjectPattern, OBJECT_PATTERN } from "../../settings/drift-objects";
import { parseBytes } from "../../text/bytes";
import { commandLine } from "../../text/command-line";
import { parseDuration } from "../../text/short-duration";
import { connectionPlace } from "../db/connection-place";
import type { Authentication } from "../db/url";
import { UsageFailure } from "../failures/usage";
import {
  BACKUP_KINDS,
  DRIFT_DIRECTIONS,
  DRIFT_FORMATS,
  type Endpoint,
  type Settings,
  VERBS,
  type Verb,
} from "../settings";
import { OPTIONS } from "./options";
import { readReview } from "./review-settings";

/**
 * Reads the settings from the command line and the environment variables.
 * @throws UsageFailure with every mistake at once
 */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings {
  const mistakes: string[] = [];
  // The arguments after `--` are the command of `run`; they are not options of this program.
  const end = args.indexOf("--");
  const command = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals } = parse(end < 0 ? args : args.slice(0, end), mistakes);
  const text = (name: string) => (typeof values[name] === "string" ? (values[name] as string) : undefined);
  const list = (name: string) => (Array.isArray(values[name]) ? (values[name] as unknown[]).map(String) : []);
  const [verb, ...others] = positionals;
  const percent = (name: string): number => {
    const given = text(name) ?? OPTIONS[name]!.default!;
    if (!/^\d{1,3}(\.\d+)?$/.test(given) || Number(given) > 100)
      mistakes.push(`--${name} is "${given}", and must be a number from 0 to 100.`);
    return Number(given);
  };
  const choice = <Choice extends string>(name: string, choices: readonly Choice[]): Choice => {
    const given = text(name);
    if (given !== undefined && verb !== "drift") mistakes.push(`--${name} is for the verb drift only.`);
    const chosen = choices.find((each) => each === (given ?? OPTIONS[name]!.default));
    if (!chosen) mistakes.push(`--${name} is "${given}", and must be one of ${choices.join(", ")}.`);
    return chosen ?? choices[0]!;
  };
  const duration = (name: string): number => {
    const given = text(name) ?? OPTIONS[name]!.default!;
    const value = parseDuration(given);
    if (value === undefined || value === 0)
      mistakes.push(`--${name} is "${given}", and must be a time such as 500ms, 5s, 15m or 1h30m.`);
    return value ?? 0;
  };
  const sqlFile = verb === "sql" ? others.shift() : undefined;
  const reverted = verb === "revert" ? others.shift() : undefined;
  checkVerb({ verb, others, sqlFile, command, measure: values["measure"] === true }, mistakes);
  const connection = connectionPlace(text("url"), environment);
  if (!connection && verb !== "revert")
    mistakes.push(
      "There is no connection string: set DIRECT_URL or DATABASE_URL, or else DATABASE_URL_FILE, or PGHOST, PGUSER, PGPASSWORD and PGDATABASE.",
    );
  const directory = text("migrations");
  const payload = text("payload");
  if (verb === "wait" && list("for").length === 0) mistakes.push("wait needs --for MIGRATION.");
  if (verb !== "wait" && (directory === undefined) === (payload === undefined))
    mistakes.push("Give either --migrations or --payload.");
  const settings: Settings = {
    verb: verb as Verb,
    command,
    commandTimeout: duration("command-timeout"),
    urlVariables: list("url-variable"),
    resolution: verb === "resolve" ? readResolution(text, mistakes) : undefined,
    through: text("through"),
    title: readTitle(verb, values, mistakes),
    force: values["force"] === true,
    drift: {
      format: choice("format", DRIFT_FORMATS),
      direction: choice("direction", DRIFT_DIRECTIONS),
      ignore: readIgnored(list("ignore"), mistakes),
    },
    sqlFile: readSqlFile(sqlFile, verb, text, mistakes),
    revert: verb === "revert" ? readRevert(reverted, values, connection !== undefined, mistakes) : undefined,
    source: payload === undefined ? { directory: directory ?? "" } : { payload },
    connection: connection ?? { form: "url", url: "" },
    server: readEndpoints("server", text("server"), mistakes)[0],
    database: text("database"),
    expected: text("expect"),
    auth: readAuth(text("auth") ?? OPTIONS["auth"]!.default, mistakes),
    parameters: readPairs("parameter", list("parameter"), mistakes),
    rootCertificate: environment["PGSSLROOTCERT"],
    json: values["json"] === true || text("format") === "json",
    showValues: values["show-values"] === true,
    rerun:
      text("rerun") ??
      (payload === undefined
        ? `${commandLine("migrator")} ${args[0]} (the same options)`
        : "run the same command again"),
    stack: text("stack"),
    ...commandsIn(environment),
    awaited: list("for"),
    waitTimeout: duration("wait-timeout"),
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
    notes: readPairs("note", list("note"), mistakes),
    review: readReview(list("refuse"), list("acknowledge"), text("runner") ?? "migrator", mistakes),
    allowDatabaseAhead: values["allow-database-ahead"] === true,
    holdContract: values["hold-contract"] === true,
    measure: values["measure"] === true,
    afterRollout: values["after-rollout"] === true,
    soak: values["after-rollout"] === true ? duration("soak") : 0,
    snapshotEndpoints: readEndpoints("database-endpoint", text("database-endpoint"), mistakes),
    snapshot: readSnapshot(text, duration("snapshot-max-age"), mistakes),
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return settings;
}

/** The commands that the local cluster has instead of the usual ones. */
function commandsIn(environment: NodeJS.ProcessEnv): Pick<Settings, "opsCommand" | "restoreCommand"> {
  return {
    opsCommand: environment["RELEASE_OPS_COMMAND"] || undefined,
    restoreCommand: environment["RELEASE_RESTORE_COMMAND"] || undefined,
  };
}

function readTitle(
  verb: string | undefined,
  { name: given, write, through }: Record<string, unknown>,
  mistakes: string[],
): string | undefined {
  const name = typeof given === "string" ? given : undefined;
  if (verb === "adopt" && name === undefined)
    mistakes.push("adopt needs --name NAME, the name of the new migration, such as: adopt --name add_email_index.");
  if (verb === "baseline" && (through === undefined) === (write !== true && name === undefined))
    mistakes.push(
      "baseline needs --through MIGRATION, the last one that the database already has; or --write --name NAME, which writes today's schema as the first one.",
    );
  else if (verb === "baseline" && (write === true) !== (name !== undefined))
    mistakes.push("baseline needs --write and --name NAME together.");
  if (name !== undefined && verb !== "adopt" && verb !== "baseline")
    mistakes.push("--name is for the verbs adopt and baseline only.");
  if (name !== undefined && !HOTFIX_NAME.test(name)) mistakes.push(`--name is "${name}", and ${HOTFIX_NAME_RULE}.`);
  return name;
}

/** Checks the verb and what it needs besides its options. */
function checkVerb(
  given: {
    verb: string | undefined;
    others: readonly string[];
    sqlFile: string | undefined;
    command: readonly string[];
    measure: boolean;
  },
  mistakes: string[],
): void {
  const { verb, others, sqlFile, command, measure } = given;
  if (verb === "sql" && sqlFile === undefined) mistakes.push("sql needs the file to run, such as: sql fix.sql.");
  for (const other of others) mistakes.push(`"${other}" is too many: there is one verb.`);
  if (!VERBS.includes(verb as Verb))
    mistakes.push(`The verb is "${verb ?? ""}", and must be one of ${VERBS.join(", ")}.`);
  if (measure && verb !== "deploy") mistakes.push("--measure is for the verb deploy only.");
  if (verb === "run" && command.length === 0)
    mistakes.push("run needs the command that migrates behind `--`, such as: run … -- npx prisma migrate deploy.");
  if (verb !== "run" && command.length > 0) mistakes.push("Only run takes a command behind `--`.");
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
    if (!option) mistakes.push(`Unknown option ${token.rawName}.`);
    // The value itself is not repeated: it may be a connection string.
    else if (option.value && token.value === undefined)
      mistakes.push(`${token.rawName} needs a value (${option.value}).`);
    else if (!option.value && token.value !== undefined) mistakes.push(`${token.rawName} takes no value.`);
  }
  return { values, positionals };
}

function readEndpoints(option: string, given: string | undefined, mistakes: string[]): Endpoint[] {
  return (given?.split(",") ?? []).flatMap((each) => {
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(each) ?? [];
    if (host !== undefined) return [{ host, port: Number(port) }];
    mistakes.push(
      `--${option} is "${given}", and must be HOST:PORT${option === "server" ? "" : ", or several with commas between them"}.`,
    );
    return [];
  });
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
    if (!checkNames.includes(name))
      mistakes.push(`--check ${each}: there is no check "${name}"; there are ${checkNames.join(", ")}.`);
    else if (!LEVELS.includes(level as Level))
      mistakes.push(`--check ${each}: the level must be one of ${LEVELS.join(", ")}.`);
    else levels[name] = level as Level;
  }
  return levels;
}

function readAuth(given: string | undefined, mistakes: string[]): Authentication {
  if (given === "password" || given === "iam") return given;
  mistakes.push(`--auth is "${given}", and must be one of password, iam.`);
  return "password";
}

function readPairs(option: string, given: readonly string[], mistakes: string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const each of given) {
    const at = each.indexOf("=");
    if (at < 1) mistakes.push(`--${option} ${each} must have the form KEY=TEXT.`);
    else pairs[each.slice(0, at)] = each.slice(at + 1);
  }
  return pairs;
}

function readIgnored(given: readonly string[], mistakes: string[]): Record<string, string> {
  const ignored = readPairs("ignore", given, mistakes);
  for (const [pattern, reason] of Object.entries(ignored)) {
    if (!isObjectPattern(pattern)) mistakes.push(`--ignore ${pattern}: the pattern must be ${OBJECT_PATTERN}.`);
    if (reason.trim() === "") mistakes.push(`--ignore ${pattern}= needs a reason.`);
  }
  return ignored;
}

function readResolution(text: (name: string) => string | undefined, mistakes: string[]): Settings["resolution"] {
  const given = (["diagnose", "applied", "rolled-back"] as const).filter((name) => text(name) !== undefined);
  const [resolution] = given;
  if (resolution !== undefined && given.length === 1) return { name: text(resolution)!, resolution };
  mistakes.push("resolve needs one of --diagnose, --applied and --rolled-back, with the name of a migration.");
  return undefined;
}

function readSqlFile(
  path: string | undefined,
  verb: string | undefined,
  text: (name: string) => string | undefined,
  mistakes: string[],
): Settings["sqlFile"] {
  const hotfix = text("hotfix");
  if (hotfix !== undefined && verb !== "sql") mistakes.push("--hotfix is for the verb sql only.");
  if (hotfix !== undefined && !HOTFIX_NAME.test(hotfix))
    mistakes.push(`--hotfix is "${hotfix}", and ${HOTFIX_NAME_RULE}.`);
  return path === undefined ? undefined : { path, name: text("file-name") ?? basename(path), hotfix };
}

function readRevert(
  name: string | undefined,
  values: Record<string, unknown>,
  connects: boolean,
  mistakes: string[],
): Settings["revert"] {
  const [plan, write] = [values["plan"] === true, values["write"] === true];
  if (name === undefined)
    mistakes.push("revert needs the migration to take back, such as: revert 20240131120000_add_index --plan.");
  if (plan === write)
    mistakes.push("revert needs --plan, which shows the SQL, or --write, which writes it as a new migration.");
  if (write && values["payload"] !== undefined)
    mistakes.push("revert --write needs --migrations, the folder to write into.");
  const { "write-command": command } = values;
  return name === undefined ? undefined : { name, write, connects, ...(typeof command === "string" && { command }) };
}

/** The difference, in milliseconds, that is allowed between the clocks of RDS and of the Kubernetes node. */
const CLOCK_DIFFERENCE = 10 * 60_000;

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
  const given = text("backup-kind") ?? "snapshot";
  const kind = BACKUP_KINDS.find((each) => each === given);
  if (!kind) {
    mistakes.push(`--backup-kind is "${given}", and must be one of ${BACKUP_KINDS.join(", ")}.`);
    return undefined;
  }
  if (created === "gone") return { kind, id, taken: "gone", maxAge };
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
  return { kind, id, taken: { createdAt, completedAt }, maxAge };
}
