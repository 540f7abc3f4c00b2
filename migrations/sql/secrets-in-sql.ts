import { secretByForm } from "../../settings/secret-forms";
import { tokensOf } from "./tokens";

/** A secret that is written as a constant in a statement. The object never contains the secret itself. */
export interface SecretInSql {
  /** The kind of secret, as part of a sentence: "the password of a role". */
  readonly what: string;
}

/**
 * A statement that doesn't match contains none of the secrets that are searched for.
 * It is a fast check that skips most statements.
 */
const HINT =
  /passw(?:or)?d|passphrase|secret|token|key|:\/\/[^\s/]*@|AKIA|gh[pousr]_|github_pat_|glpat-|xox[abpr]-|[sr]k_live_|AIza/i;

/**
 * `PASSWORD 'SCRAM-SHA-256$4096:…'` is the form in which the server itself
 * stores a password. Nobody can log in with it.
 */
const VERIFIER = /^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$/;

/** The names of settings (`app.api_key`) and options that have a secret as their value. */
const SECRET_NAME =
  /(?:^|[._-])(?:pass(?:word|wd|phrase)?|secret|token|(?:api|access|private|secret|encryption|signing)?_?key)$/i;

/** A connection string in libpq's key-value form (`host=… password=…`), which dblink and CREATE SUBSCRIPTION take. */
const CONNINFO = /^(?=[\s\S]*\bpassword\s*=\s*[^\s;])\s*(?:\w+\s*=\s*(?:'[^']*'|[^\s';]+)\s*){2,}$/;

/**
 * The secrets in a statement that the parser has accepted, including those in the code
 * of a DO block or function and in its EXECUTE.
 */
export function secretsIn(sql: string): SecretInSql[] {
  if (!HINT.test(sql)) return [];
  const found: string[] = [];
  let words: string[] = [];
  const tokens = tokensOf(sql);
  for (const [index, { text, upper }] of tokens.entries()) {
    if (text === ";") words = [];
    else words.push(upper);
    const value = constantOf(text);
    if (value === undefined || value === "") continue;
    const before = tokens[index - 1]?.upper ?? "";
    if (
      before === "PASSWORD" &&
      /^(?:CREATE|ALTER) (?:ROLE|USER|GROUP) (?!MAPPING)/.test(words.slice(0, 3).join(" "))
    ) {
      if (!VERIFIER.test(value)) found.push("the password of a role");
    } else if (words.includes("OPTIONS") && SECRET_NAME.test(unquoted(before)))
      found.push(`the option ${unquoted(before)}`);
    else if (isSecretSetting(tokens.slice(0, index).map((token) => token.text))) found.push("a secret setting");
    else {
      const form = secretByForm(value);
      if (form !== undefined) found.push(form);
      else if (CONNINFO.test(value)) found.push("a connection string with a password");
      else if (/\bPASSWORD\b|\bOPTIONS\b|\bset_config\b/i.test(value))
        found.push(...secretsIn(value).map(({ what }) => what));
    }
  }
  return [...new Set(found)].map((what) => ({ what }));
}

/**
 * Whether the next value is that of a secret setting: `set_config('app.api_key', '…'` or `SET app.api_key = '…'`.
 * @param before the words before the value
 */
function isSecretSetting(before: readonly string[]): boolean {
  const [name = "", comma = ""] = before.slice(-2);
  if (comma === "," && before.at(-3) === "(" && /^set_config$/i.test(before.at(-4) ?? ""))
    return SECRET_NAME.test(constantOf(name) ?? "");
  if (!/^(?:=|TO)$/i.test(comma)) return false;
  const from = before.map((word) => word.toUpperCase()).lastIndexOf("SET");
  const setting = before
    .slice(from + 1, -1)
    .filter((word) => !/^(?:LOCAL|SESSION)$/i.test(word))
    .join("");
  return from >= 0 && /^[\w.]+$/.test(setting) && setting.includes(".") && SECRET_NAME.test(setting);
}

function unquoted(name: string): string {
  return name.replaceAll('"', "").toLowerCase();
}

/** The text of a string constant; undefined for anything else. */
function constantOf(text: string): string | undefined {
  const dollars = /^\$[^$\d]*\$/.exec(text)?.[0];
  if (dollars !== undefined) return text.slice(dollars.length, -dollars.length);
  const quoted = /^(e|u&)?'([\s\S]*)'$/i.exec(text);
  if (!quoted) return undefined;
  const value = (quoted[2] ?? "").replaceAll("''", "'");
  return quoted[1] === undefined ? value : value.replace(/\\(.)/g, "$1");
}
