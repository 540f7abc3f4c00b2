import { Client } from "pg";
import type { Credentials, InstanceRecord } from "./records";
import { scramVerifier } from "./scram";

/** The cloud's own superuser. As on RDS, no other user gets its password. */
export const superuser = "rdsadmin";

export function connectionUrl(role: keyof Credentials, credentials: Credentials, port: number, database: string) {
  const url = new URL(`postgresql://127.0.0.1:${port}/${encodeURIComponent(database)}`);
  url.username = role;
  url.password = credentials[role];
  return url;
}

export async function connectAsSuperuser(credentials: Credentials, port: number, database = "postgres") {
  const client = new Client({
    connectionString: connectionUrl(superuser, credentials, port, database).href,
    connectionTimeoutMillis: 30_000,
    application_name: superuser,
  });
  // Without a listener, a connection that breaks between two queries would end the cloud; the next query reports it.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/**
 * Creates the roles and the database of a new instance. It may be run again after an interruption at any point.
 *
 * - `postgres`: the master user. As on RDS it is not a superuser but a member of `rds_superuser`: it creates roles and
 *   databases, sees all statistics and ends other users' sessions.
 * - `migrator`: owns the database, so that it can change the schema. It may create databases, because a dump is restored
 *   into a second one.
 * - `app`: reads and writes rows of the tables that `migrator` creates, and can't change the schema.
 */
export async function makeRoles(record: InstanceRecord, credentials: Credentials, port: number): Promise<void> {
  const name = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const admin = await connectAsSuperuser(credentials, port);
  try {
    const grants = "pg_monitor, pg_signal_backend, pg_checkpoint, pg_read_all_settings";
    await makeRole(admin, "rds_superuser", "NOLOGIN CREATEDB CREATEROLE");
    await admin.query(`GRANT ${grants} TO rds_superuser WITH ADMIN OPTION`);
    await makeRole(admin, "postgres", "LOGIN CREATEDB CREATEROLE", credentials.postgres);
    await makeRole(admin, "migrator", "LOGIN CREATEDB", credentials.migrator);
    await makeRole(admin, "app", "LOGIN", credentials.app);
    await admin.query("GRANT rds_superuser TO postgres");
    await admin.query("GRANT migrator, app TO postgres WITH ADMIN OPTION");
    await admin.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [record.database]);
    if (!rowCount) await admin.query(`CREATE DATABASE ${name(record.database)} OWNER migrator`);
  } finally {
    await admin.end();
  }
  const database = await connectAsSuperuser(credentials, port, record.database);
  try {
    const schema = name(record.schema ?? "public");
    await database.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION migrator`);
    await database.query(`GRANT USAGE ON SCHEMA ${schema} TO app`);
    for (const grant of ["USAGE ON SCHEMAS", "SELECT, INSERT, UPDATE, DELETE ON TABLES", "ALL ON SEQUENCES"]) {
      await database.query(`ALTER DEFAULT PRIVILEGES FOR ROLE migrator GRANT ${grant} TO app`);
    }
    if (record.schema !== undefined) {
      for (const role of ["app", "migrator"]) {
        await database.query(`ALTER ROLE ${role} IN DATABASE ${name(record.database)} SET search_path = ${schema}`);
      }
    }
  } finally {
    await database.end();
  }
}

async function makeRole(client: Client, role: string, attributes: string, password?: string): Promise<void> {
  const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
  // The statement takes no parameters and is logged, so it contains the SCRAM verifier instead of the password.
  const secret = password === undefined ? "" : ` PASSWORD '${scramVerifier(password)}'`;
  await client.query(`${rowCount ? "ALTER" : "CREATE"} ROLE ${role} ${attributes}${secret}`);
}
