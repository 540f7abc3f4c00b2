import { PoolerInBetween } from "../failures/connection";
import type { Target } from "./url";

/** A pooler that its host's name or port gives away. */
interface KnownPooler {
  readonly host: RegExp;
  /** The port, if the same host leads to the server itself at another one. */
  readonly port?: number;
  /** What it is, and how it was recognised. */
  readonly evidence: string;
  /** Why no migration may go through it. Default: the migration lock may not hold. */
  readonly why?: string;
  /** The way to the server itself. */
  readonly direct: (target: Target) => string;
}

/** The poolers of providers, by the names and ports that their documentations give. */
const KNOWN: readonly KnownPooler[] = [
  {
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-endpoints.html
    host: /\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com$/i,
    evidence: "RDS Proxy, by the host's name",
    why: "which refuses settings in options= and pins a session that takes the migration lock",
    direct: () => "the endpoint of the instance itself, or of an Aurora cluster's writer",
  },
  {
    // https://neon.com/docs/connect/connection-pooling
    host: /^[^.]+-pooler\.([^.]+\.)*neon\.(tech|build)$/i,
    evidence: "Neon's PgBouncer, by \"-pooler\" in the host's name",
    direct: ({ host }) => `the host ${host.replace("-pooler.", ".")}`,
  },
  {
    // https://supabase.com/docs/guides/database/connecting-to-postgres
    host: /\.pooler\.supabase\.com$/i,
    port: 6543,
    evidence: "Supabase's in transaction mode, by host and port 6543",
    direct: supabaseHost,
  },
  {
    host: /\.pooler\.supabase\.com$/i,
    evidence: "Supabase's, by the host's name",
    why: "whose sessions this program can neither observe nor cancel, in session mode (port 5432) either",
    direct: supabaseHost,
  },
  {
    // https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-pgbouncer
    host: /\.postgres\.database\.(azure\.com|usgovcloudapi\.net|chinacloudapi\.cn)$/i,
    port: 6432,
    evidence: "Azure's PgBouncer, by host and port 6432",
    direct: () => "the same host with port 5432",
  },
  {
    // https://docs.digitalocean.com/products/databases/postgresql/how-to/manage-connection-pools/
    host: /\.db\.ondigitalocean\.com$/i,
    port: 25061,
    evidence: "DigitalOcean's connection pool, by host and port 25061",
    direct: () => "the same host with port 25060, and the database's own name",
  },
];

/**
 * Refuses a connection that leads to a pooler by its name, before anything is sent to it.
 * @throws PoolerInBetween
 */
export function refuseKnownPooler(target: Target): void {
  const found = KNOWN.find(({ host, port }) => host.test(target.host) && (port === undefined || port === target.port));
  if (found)
    throw new PoolerInBetween(found.evidence, { form: target.form, why: found.why, direct: found.direct(target) });
}

/** Supabase's pooler takes the project from the user, as in `postgres.abcdefghijklmnop`. */
function supabaseHost({ user }: Target): string {
  const project = /\.([a-z]+)$/.exec(user)?.[1] ?? "PROJECT";
  return `db.${project}.supabase.co with port 5432 and the user postgres (from a network without IPv6 it needs Supabase's IPv4 add-on)`;
}
