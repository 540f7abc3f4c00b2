import { isUtf8 } from "node:buffer";
import {
  type ConnectionPart,
  type DatabaseAccess,
  type DatabaseRole,
  databaseAccess,
} from "../../settings/database-access";
import type { DatabaseSettings } from "../../settings/schema";
import type { Move } from "../target";
import {
  databaseOf,
  type Endpoint,
  isOnSameServer,
  isSame,
  movedUrl,
  postgresUrl,
  serverOf,
  withDatabase,
} from "./moved-url";

/** The values of a Secret by their keys, in base64, as Kubernetes has them. */
export type SecretData = Readonly<Record<string, string>>;

/** What becomes of a Secret whose copy leads to the copy of the database. */
export interface MovedSecret {
  readonly data: SecretData;
  /** The keys whose values lead to the copy. */
  readonly moved: readonly string[];
  /** The keys that are copied as they are. */
  readonly kept: readonly string[];
  /** What a person should know of it. No value of the Secret is in it. */
  readonly notes: readonly string[];
  /** Why the app can't be moved by this Secret. */
  readonly problems: readonly string[];
}

/** What a key of a Secret holds, as the settings say. */
type Use = "url" | ConnectionPart;

/**
 * Makes the values of a Secret lead to a copy of the database.
 * @param name the Secret's name, as the settings have it
 */
export function movedSecret(name: string, data: SecretData, database: DatabaseSettings, move: Move): MovedSecret {
  const uses = usesOf(name, database);
  const results = Object.entries(data).map(([key, value]) => ({
    key,
    value,
    ...movedValue(key, value, uses.get(key), move),
  }));
  const missing = [...uses.keys()].filter((key) => data[key] === undefined && uses.get(key) !== "name");
  return {
    data: Object.fromEntries(results.map(({ key, value, text }) => [key, text === undefined ? value : encoded(text)])),
    moved: results.flatMap(({ key, text }) => (text === undefined ? [] : [key])),
    kept: results.flatMap(({ key, text }) => (text === undefined ? [key] : [])),
    notes: results.flatMap(({ note }) => note ?? []),
    problems: [
      ...missing.map((key) => `Secret ${name} has no key ${key}, which the settings name.`),
      ...results.flatMap(({ key, problem }) => (problem === undefined ? [] : [`Secret ${name}: ${key} ${problem}.`])),
    ],
  };
}

/** Returns what the keys of a Secret hold, by the settings of both roles. */
function usesOf(name: string, database: DatabaseSettings): Map<string, Use> {
  const roles: DatabaseRole[] = ["app", "migration"];
  return new Map(roles.flatMap((role) => usesBy(databaseAccess(database, role), name)));
}

function usesBy(access: DatabaseAccess, name: string): [key: string, use: Use][] {
  if (access.form === "url") return access.secret === name ? [[access.key, "url"]] : [];
  if (access.form === "file") return [];
  return Object.entries(access.parts).flatMap(([part, value]): [string, Use][] =>
    typeof value === "object" && value.secret === name ? [[value.key, part as ConnectionPart]] : [],
  );
}

/** The new text of a value; undefined text: it is kept. */
interface MovedValue {
  readonly text?: string | undefined;
  readonly note?: string;
  readonly problem?: string;
}

function movedValue(key: string, value: string, use: Use | undefined, move: Move): MovedValue {
  const { source, copy } = move;
  const stays = isOnSameServer(move);
  if (use === "host") return stays ? {} : { text: copy.endpoint.host };
  if (use === "port") return stays ? {} : { text: String(copy.endpoint.port) };
  if (use === "name") return { text: copy.database };
  if (use === "user" || use === "password") return {};
  const text = decoded(value);
  const url = text === undefined ? undefined : postgresUrl(text.trim());
  if (use === "url") return url ? movedConnection(key, url, move) : { problem: NO_URL };
  if (!url) {
    const names = text !== undefined && text.trim().toLowerCase() === source.endpoint.host.toLowerCase();
    return names && !stays
      ? { note: `${key} is the source's host, and no setting names this key: it stays as it is.` }
      : {};
  }
  if (isAtSource(url, move)) return { text: movedConnection(key, url, move).text };
  return { note: `${key} leads to ${serverOf(url).host}, which is not the database: it stays as it is.` };
}

const NO_URL = "holds no connection string of one Postgres server, so it can't be made to lead elsewhere";

/** Whether a connection string that no setting names leads to the source. */
function isAtSource(url: URL, move: Move): boolean {
  const { source } = move;
  const server = serverOf(url);
  const same = isSame(server, source.endpoint) || isSame(server, source.readerEndpoint);
  return same && (!isOnSameServer(move) || databaseOf(url) === source.database);
}

/** Makes a connection string lead to the copy. On the same server it goes on leading there by a pooler. */
function movedConnection(key: string, url: URL, move: Move): MovedValue {
  const { source, copy } = move;
  if (isOnSameServer(move)) return { text: withDatabase(url, copy.database ?? "") };
  const server = serverOf(url);
  const known = isSame(server, source.endpoint) || isSame(server, source.readerEndpoint);
  const text = movedUrl(url, toOf(server, move), copy.database);
  if (known) return { text };
  return {
    text,
    note: `${key} leads to ${server.host}, which is not the database itself, such as a pooler. In the new Secret it leads to the copy directly.`,
  };
}

/** Returns the address of the copy for those who used an address of the source. */
function toOf(server: Endpoint, { source, copy }: Move): Endpoint {
  return isSame(server, source.readerEndpoint) ? (copy.readerEndpoint ?? copy.endpoint) : copy.endpoint;
}

function decoded(value: string): string | undefined {
  const bytes = Buffer.from(value, "base64");
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}
