import { readFileSync } from "node:fs";
import type { ConnectionPart } from "../../settings/database-access";
import { BadUrl } from "../failures/connection";
import { composeUrl, type Parts } from "./compose-url";

/**
 * The keys of the JSON that AWS Secrets Manager keeps for a database
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html).
 */
const KEYS: Readonly<Record<ConnectionPart, string>> = {
  host: "host",
  port: "port",
  user: "username",
  password: "password",
  name: "dbname",
};

/**
 * Reads a connection from a file that holds a connection string, or JSON as AWS Secrets Manager keeps it.
 *
 * @param parts the parts that the settings add to JSON; they count more than its own
 * @returns a connection string
 * @throws BadUrl, which never repeats the content
 */
export function readConnectionFile(path: string, parts: Parts): string {
  const refuse = (what: string): never => {
    throw new BadUrl([`The file ${path} ${what}.`], "file");
  };
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    return refuse(`of the connection can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (text === "") return refuse("of the connection is empty");
  if (!text.startsWith("{")) {
    if (Object.keys(parts).length > 0)
      return refuse("holds a URL, so host, port, name and user can't be set beside it");
    return text;
  }
  const json = parse(text) ?? refuse("holds neither a URL nor valid JSON");
  const { engine } = json;
  if (typeof engine === "string" && !/postgres/i.test(engine))
    return refuse("holds the login of another kind of server (its `engine` is not postgres)");
  const own = Object.entries(KEYS).flatMap(([part, key]): [string, string][] => {
    const value = json[key];
    return typeof value === "string" || typeof value === "number" ? [[part, String(value)]] : [];
  });
  const names = Object.fromEntries(Object.entries(KEYS).map(([part, key]) => [part, `"${key}" in ${path}`]));
  return composeUrl({ ...Object.fromEntries(own), ...parts }, "file", names as typeof KEYS);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
