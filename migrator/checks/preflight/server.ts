import type { PreflightCheck } from "./context";

/** The oldest major version of Postgres that the tests run against. */
const OLDEST = 13;

/** Checks the version of the server, and whether it can be written to. */
export const server: PreflightCheck = {
  name: "server",
  kind: "connection",
  async run({ run: { session } }) {
    const [row] = await session.rows<{ version: string; recovery: boolean; readonly: boolean }>(
      "SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS recovery, current_setting('default_transaction_read_only')::bool AS readonly",
    );
    const { version, recovery, readonly } = row!;
    const findings = [];
    if (Math.floor(session.serverVersion / 10_000) < OLDEST)
      findings.push({
        what: `The server is Postgres ${version}; this program is tested from ${OLDEST} on.`,
        evidence: [],
        next: "upgrade the server",
      });
    if (recovery || readonly)
      findings.push({
        what: recovery
          ? "The server is a replica, which can't be written to."
          : "The database is set to read-only transactions.",
        evidence: [],
        next: "give the connection string of the primary (of a cluster: the writer endpoint)",
      });
    return { findings, facts: `Postgres ${version}` };
  },
};

/** Checks whether the role is a superuser. */
export const superuser: PreflightCheck = {
  name: "superuser",
  kind: "permission",
  async run({ run: { session } }) {
    const [row] = await session.rows<{ super: boolean; name: string }>(
      "SELECT rolsuper AS super, rolname AS name FROM pg_roles WHERE rolname = current_user",
    );
    const found = row!.super
      ? [
          {
            what: `The role ${row!.name} is a superuser: a mistake in a migration has no limits.`,
            evidence: [],
            next: "make a role for migrations that owns the app's tables",
          },
        ]
      : [];
    return { findings: found, facts: `role ${row!.name}` };
  },
};
