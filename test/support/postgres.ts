import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { binariesOf, NEWEST } from "../../embedded/majors";
import { startShortLived } from "../../embedded/short-lived";
import { chosenMajor } from "./majors";
import { startServer as startServerOfMajor, type TestPostgres } from "./server";

export { dumpDatabase } from "./dump";
export type { TestPostgres } from "./server";

/** Of the major in POSTGRES_MAJOR, or the newest. */
export async function startPostgres(options: { settings?: Record<string, string> } = {}): Promise<TestPostgres> {
  if (chosenMajor !== NEWEST) return startServerOfMajor(options);
  const { url, port, stop, kill, restart } = await startShortLived(await binariesOf(NEWEST), options.settings);
  return {
    url: url("postgres"),
    port,
    async createDatabase() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      const client = new Client({ connectionString: url("postgres") });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name}`);
      } finally {
        await client.end();
      }
      return url(name);
    },
    stop,
    kill,
    restart,
  };
}

/** Returns a connection string with another role and its password, which may be percent-encoded already. */
export function asRole(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = password;
  return other.href;
}
