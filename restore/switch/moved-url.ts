import type { Move, Whereabouts } from "../target";

/** The address of a server. */
export type Endpoint = Whereabouts["endpoint"];

/** The parameters of a URL by which libpq and its kin override the server in it. */
const SERVER_PARAMETERS = ["host", "hostaddr", "port"];

/** Reads a connection string of Postgres; undefined if a text is none, or names several servers. */
export function postgresUrl(text: string): URL | undefined {
  if (!/^postgres(ql)?:\/\//i.test(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Returns the name of the database that a connection string leads to. */
export function databaseOf(url: URL): string {
  return decodeURIComponent(url.pathname.slice(1));
}

/** Returns a connection string that leads to another database by the same way. */
export function withDatabase(url: URL, database: string): string {
  const moved = new URL(url);
  moved.pathname = `/${encodeURIComponent(database)}`;
  return moved.href;
}

/** Returns the server that a connection string leads to. */
export function serverOf(url: URL): Endpoint {
  const parameter = (name: string) => url.searchParams.get(name) || undefined;
  return {
    host: plainHost(parameter("host") ?? url.hostname),
    port: Number(parameter("port") ?? (url.port || "5432")),
  };
}

/** Whether two addresses are of the same server. */
export function isSame(one: Endpoint, other: Endpoint | undefined): boolean {
  return other !== undefined && one.host.toLowerCase() === other.host.toLowerCase() && one.port === other.port;
}

/** Whether a copy is another database on the server of its source, so that every way to that server leads to it too. */
export function isOnSameServer({ source, copy }: Move): boolean {
  return copy.database !== undefined && isSame(source.endpoint, copy.endpoint);
}

/**
 * Returns a connection string with another server in it. Roles, passwords and every other parameter stay as they are.
 * @param database the name of the database on that server; undefined: the same as before
 */
export function movedUrl(url: URL, { host, port }: Endpoint, database: string | undefined): string {
  const moved = new URL(url);
  moved.hostname = host.includes(":") ? `[${plainHost(host)}]` : host;
  moved.port = String(port);
  if (database !== undefined) moved.href = withDatabase(moved, database);
  // A search that is touched is written anew, with a + for each space, which libpq doesn't read as one.
  const overriding = SERVER_PARAMETERS.filter((name) => moved.searchParams.has(name));
  if (overriding.length > 0) {
    for (const name of overriding) moved.searchParams.delete(name);
    moved.search = moved.search.replaceAll("+", "%20");
  }
  return moved.href;
}

function plainHost(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
