import { CONNECTION_PARTS, type ConnectionPart, PART_VARIABLES } from "../../settings/database-access";
import { composeUrl, type Parts } from "./compose-url";
import { readConnectionFile } from "./connection-file";

/** Where the connection is given: as a URL, as libpq's variables, or in a file with parts that variables add to it. */
export type ConnectionPlace =
  | { readonly form: "url"; readonly url: string }
  | { readonly form: "parts"; readonly parts: Parts }
  | { readonly form: "file"; readonly file: string; readonly parts: Parts };

/**
 * Finds the connection in the environment variables. A URL comes first, then a file, then libpq's variables, of which
 * a shell may have some for other purposes.
 *
 * @param url the connection string from the command line, which counts most
 * @returns undefined if no connection is given
 */
export function connectionPlace(url: string | undefined, environment: NodeJS.ProcessEnv): ConnectionPlace | undefined {
  const given = url ?? (environment["DIRECT_URL"] || environment["DATABASE_URL"]);
  if (given) return { form: "url", url: given };
  const set = CONNECTION_PARTS.flatMap((part): [ConnectionPart, string][] => {
    const value = environment[PART_VARIABLES[part]];
    return value ? [[part, value]] : [];
  });
  const parts: Parts = Object.fromEntries(set);
  const file = environment["DIRECT_URL_FILE"] || environment["DATABASE_URL_FILE"];
  if (file) return { form: "file", file, parts };
  return parts.host === undefined ? undefined : { form: "parts", parts };
}

/**
 * Returns the connection as a URL. Parts are percent-encoded, so that every character may be in a password.
 *
 * @param parameters further parameters of the URL, of which those in a given URL count more
 * @throws BadUrl, which never repeats a value
 */
export function connectionUrl(place: ConnectionPlace, parameters: Readonly<Record<string, string>>): string {
  switch (place.form) {
    case "url":
      return withParameters(place.url, parameters);
    case "parts":
      return withParameters(composeUrl(place.parts, place.form, PART_VARIABLES), parameters);
    case "file":
      return withParameters(readConnectionFile(place.file, place.parts), parameters);
  }
}

function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  const at = url.indexOf("?");
  const has = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
  const added = Object.entries(parameters)
    .filter(([name]) => !has.has(name))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return added.length === 0 ? url : `${url}${at < 0 ? "?" : "&"}${added.join("&")}`;
}
