import { readFileSync } from "node:fs";

/**
 * Returns the URL of the database: DATABASE_URL, or what the file in DATABASE_URL_FILE holds, or a URL that is made of
 * libpq's variables; undefined if none of them is set.
 */
export function databaseUrl({ DATABASE_URL, DATABASE_URL_FILE, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE }) {
  if (DATABASE_URL) return DATABASE_URL;
  if (DATABASE_URL_FILE) return readFileSync(DATABASE_URL_FILE, "utf8").trim();
  if (!PGHOST) return undefined;
  const [user, password, name] = [PGUSER, PGPASSWORD, PGDATABASE].map((part) => encodeURIComponent(part ?? ""));
  return `postgresql://${user}:${password}@${PGHOST}:${PGPORT || 5432}/${name}`;
}
