import { secretByForm } from "./secret-forms";

/** A secret in plain text in the settings. The object never contains the secret itself. */
export interface PlainSecret {
  path: PropertyKey[];
  /** The kind of secret and where it belongs, as a clause whose subject is the path. */
  message: string;
}

/** The endings of names whose value is a secret: `DB_PASSWORD`, `stripe.apiKey`. */
const SECRET_NAME = /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET|TOKEN|CREDENTIALS?|[A-Z0-9_]*KEY)$/;
/** Names that end in KEY but aren't secret: such a key is public or is the name of something. */
const OPEN_KEY =
  /(?:^|_)(?:PUBLIC|PUBLISHABLE|PUB|PRIMARY|FOREIGN|SORT|CACHE|PARTITION|ROUTING|SHARD|LOOKUP|OBJECT|GROUP|HOT|IDEMPOTENCY|PREFIX|NAME)_?KEY$|^KEY$/;

/** Values that only refer to a secret: `$NAME`, `$(NAME)`, a file, or a path in a store of secrets. */
const REFERENCE =
  /^(?:\$|<|\{\{|\*+$|@|\.{0,2}(?:\/[\w.-]+){2,}$|(?:vault|arn|secretsmanager|ssm|op|ref|file|env|gcp|azurekeyvault)[:+])/i;
const NO_SECRET = /^(?:|true|false|yes|no|on|off|none|null|enabled|disabled|required|optional|\d{1,5})$/i;

const WORD =
  "(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|access|private|secret|auth|session|signing|encryption)[_-]?key)";
/** A secret that is assigned in a command or URL: `PGPASSWORD=…`, `--token=…`, `?api_key=…`, `--password …`. */
const ASSIGNMENT = new RegExp(
  `(?:^|[\\s'"&?;,({-])[\\w.-]*?${WORD}(?:=|(?<=(?:^|\\s)--[\\w-]+)\\s+)(?<quote>['"]?)(?<value>[^\\s'"&;]+)`,
  "gi",
);
/** A secret in an HTTP header: `-H "Authorization: Bearer …"`. */
const HEADER =
  /(?:-H|--header)[\s=]*['"]?(?:authorization|cookie|[\w-]*(?:token|secret|api-?key))\s*:\s*(?:(?:bearer|basic|token)\s+)?(?<value>[^\s'"]+)/gi;
/** A password in an option of curl: `curl -u name:password`. */
const CURL_USER = /\bcurl\b.*\s(?:-u|--user)[\s=]*['"]?[^\s:'"]+:(?<value>[^\s'"]+)/gi;

/** Whether a variable with this name usually contains a secret. */
export function isSecretName(name: string): boolean {
  const upper = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/[.-]/g, "_")
    .toUpperCase();
  return SECRET_NAME.test(upper) && !OPEN_KEY.test(upper);
}

/**
 * The kind of secret that a text contains in plain text; undefined if it contains no known kind.
 * @param name the name of the variable whose value the text is
 */
export function plainSecretIn(text: string, name = ""): string | undefined {
  const form = secretByForm(text);
  if (form !== undefined) return form;
  if (REFERENCE.test(text) && !/\s/.test(text)) return undefined;
  if (isSecretName(name) && !REFERENCE.test(text) && !isNone(text, name)) return "the value of a secret";
  for (const pattern of [ASSIGNMENT, HEADER, CURL_USER])
    for (const { groups } of text.matchAll(pattern)) {
      const { value = "" } = groups ?? {};
      if (!REFERENCE.test(value) && !NO_SECRET.test(value)) return "a password or token";
    }
  return undefined;
}

function isNone(text: string, name: string): boolean {
  // A password may be a short number.
  return NO_SECRET.test(text) && !(/pass|pwd/i.test(name) && /^\d+$/.test(text));
}

/** Finds every secret in plain text in the settings, at any depth. */
export function plainSecrets(settings: unknown, path: PropertyKey[] = [], variable = ""): PlainSecret[] {
  if (typeof settings === "string" || typeof settings === "number") {
    const what = plainSecretIn(String(settings), variable);
    return what === undefined ? [] : [{ path, message: `holds ${what}; no password in plain text: ${placeFor(path)}` }];
  }
  if (typeof settings !== "object" || settings === null) return [];
  const inner = Object.entries(settings).flatMap(([key, value]) =>
    plainSecrets(value, [...path, key], variableOf(settings, key, path)),
  );
  // An option and its value may be two words of a command, as in ["--password",
  // "…"], so the words are also checked together.
  const words = Array.isArray(settings) && settings.every((each) => typeof each === "string") ? settings : [];
  if (inner.length === 0 && words.length > 0) return plainSecrets(words.join(" "), path);
  return inner;
}

/** The name of the variable whose value a key has, also in a list of Kubernetes, `[{name: …, value: …}]`. */
function variableOf(settings: object, key: string, path: PropertyKey[]): string {
  if (path.at(-1) === "env" && !Array.isArray(settings)) return key;
  return path.at(-2) === "env" && key === "value" && "name" in settings ? String(settings.name) : "";
}

/** The advice where a secret of this setting belongs. */
function placeFor(path: PropertyKey[]): string {
  const keys = path.map(String);
  const secret = 'put it into a Secret and refer to it, {secret: {name: "…", key: "…"}}';
  if (keys.includes("pod"))
    return 'put it into a Secret and refer to it, valueFrom: {secretKeyRef: {name: "…", key: "…"}}';
  if (keys.includes("env"))
    return `${secret}; what is no secret can stand in a ConfigMap, {configMap: {name: "…", key: "…"}}`;
  if (keys.includes("command") && keys[0] === "smoke")
    return "set it as a variable where `up` runs, and write $NAME here";
  if (keys.includes("command") || keys.includes("args"))
    return `${secret.replace("refer to it", "refer to it in env")}, and write $(NAME) here`;
  return "leave it out; settings are kept in plain text in the state";
}
