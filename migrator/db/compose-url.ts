import { CONNECTION_PARTS, type ConnectionPart } from "../../settings/database-access";
import { BadUrl, type ConnectionForm } from "../failures/connection";

/** The parts of a connection that are known. */
export type Parts = Readonly<Partial<Record<ConnectionPart, string>>>;

/** The parts without which there is no connection. The port has a default, and not every login needs a password. */
const REQUIRED = ["host", "user", "name"] as const;

/**
 * Makes a connection string of its parts. Each is percent-encoded, so that every character may be in it.
 *
 * @param names what each part is called where it comes from, for messages
 * @throws BadUrl, which names every part that is missing or can't be right, and repeats none
 */
export function composeUrl(
  parts: Parts,
  form: ConnectionForm,
  names: Readonly<Record<ConnectionPart, string>>,
): string {
  const { host = "", port = "5432", user = "", password = "", name = "" } = parts;
  const problems = [
    ...REQUIRED.filter((part) => !parts[part]).map((part) => `${names[part]} is missing or empty.`),
    ...CONNECTION_PARTS.flatMap((part) =>
      textProblem(part, parts[part] ?? "").map((text) => `${names[part]} ${text}.`),
    ),
    ...(host === "" ? [] : hostProblem(host).map((text) => `${names.host} ${text}.`)),
    ...(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535
      ? []
      : [`${names.port} must be a whole number from 1 to 65535.`]),
    // A URL can't have such a path: a parser takes these for steps from one folder to another.
    ...(name === "." || name === ".." ? [`${names.name} is no name of a database.`] : []),
  ];
  if (problems.length > 0) throw new BadUrl([...new Set(problems)], form);
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const path = encodeURIComponent(name);
  if (host.startsWith("/"))
    return `postgresql://${credentials}@localhost:${port}/${path}?host=${encodeURIComponent(host)}`;
  return `postgresql://${credentials}@${host.includes(":") ? `[${host}]` : host}:${port}/${path}`;
}

function textProblem(part: ConnectionPart, text: string): string[] {
  if (/\p{Surrogate}/u.test(text) || text.includes("\0")) return ["holds what is no text"];
  // A line break comes from a file that was made with `echo`. A password may really end with one.
  if (part !== "password" && text !== text.trim()) return ["begins or ends with a space or a line break"];
  return [];
}

function hostProblem(host: string): string[] {
  if (host.startsWith("/") || /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(host)) return [];
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(host)) return ["is a URL, and must be the name or address of a server"];
  if (/:\d+$/.test(host)) return ["has a port behind the server's name; the port is a value of its own"];
  if (host.includes(",")) return ["names several servers, and must name the one that is migrated"];
  return /^[\w.-]+$/.test(host.trim()) ? [] : ["must be the name or address of a server"];
}
