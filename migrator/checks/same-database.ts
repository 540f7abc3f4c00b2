import { lookup } from "node:dns/promises";
import type { Session } from "../db/connection";
import type { Endpoint } from "../settings";

/** Whether the connection leads to one of the endpoints, and what was compared. */
export interface Comparison {
  readonly same: boolean;
  /** What makes them the same, for the report; empty if they are not. */
  readonly by: string;
  /** Both sides with their addresses, one on each line. */
  readonly evidence: readonly string[];
}

/**
 * Compares the server of a connection with the endpoints of the database that the snapshot is taken of. They are the
 * same if host and port agree; or the ports, and one of the addresses that the hosts have; or what the server says of
 * itself, which also holds behind a load balancer or a tunnel.
 */
export async function compareEndpoints(session: Session, endpoints: readonly Endpoint[]): Promise<Comparison> {
  const { host, port } = session.target;
  const connection = { host, port, addresses: await addressesOf(host) };
  const expected = await Promise.all(
    endpoints.map(async (each) => ({ ...each, addresses: await addressesOf(each.host) })),
  );
  const said = await saidByServer(session);
  const evidence = [
    ...expected.map((each) => `the snapshot's database: ${shown(each)}`),
    `the connection: ${shown(connection)}`,
    ...(said ? [`the server says of itself: ${said.address}:${said.port}`] : []),
  ];
  for (const each of expected) {
    if (named(each.host) === named(host) && each.port === port) return { same: true, by: "host and port", evidence };
    if (each.port === port && each.addresses.some((address) => connection.addresses.includes(address)))
      return { same: true, by: "address and port", evidence };
    if (said && each.port === said.port && each.addresses.includes(said.address))
      return { same: true, by: "what the server says of itself", evidence };
  }
  return { same: false, by: "", evidence };
}

/** A host name in lower case and without the dot at its end. */
function named(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/** The addresses of a host; empty if it has none, or is the directory of a socket. */
async function addressesOf(host: string): Promise<string[]> {
  if (host.startsWith("/")) return [];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address.replace(/^::ffff:/i, ""));
}

/** The address and port at which the server accepted this session; undefined for a socket. */
async function saidByServer(session: Session): Promise<{ address: string; port: number } | undefined> {
  const [row] = await session.rows<{ address: string | null; port: number | null }>(
    "SELECT pg_catalog.host(pg_catalog.inet_server_addr()) AS address, pg_catalog.inet_server_port() AS port",
  );
  const { address, port } = row ?? {};
  return address && port ? { address: address.replace(/^::ffff:/i, ""), port } : undefined;
}

function shown({ host, port, addresses }: Endpoint & { addresses: readonly string[] }): string {
  if (host.startsWith("/")) return `socket ${host}`;
  const [only] = addresses;
  const where = addresses.length === 0 ? "no address found here" : addresses.join(", ");
  return addresses.length === 1 && only === host ? `${host}:${port}` : `${host}:${port} (${where})`;
}
