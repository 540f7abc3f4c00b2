/** Values that are recognised as a secret by their form, wherever they occur. */
const SECRET_FORMS: readonly (readonly [RegExp, string])[] = [
  // The text after the colon is a password in a database's connection string; it may be a port in other URLs.
  [
    /\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|rediss?|amqps?):\/\/[^\s/:@]*:(?![$<{*])[^\s@]+@/i,
    "a URL with a password",
  ],
  [/[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(?!\d{1,5}(?:\/|$)|[$<{*])[^\s@]+@/i, "a URL with a password"],
  [/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/, "a private key"],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, "an AWS access key"],
  [/\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}/, "a token of a code host"],
  [/\b[sr]k_live_\w{8,}|\bxox[abpr]-[\w-]{10,}|\bAIza[\w-]{35}/, "a key of a service's API"],
];

/** The kind of secret that a text is or contains, recognised by its form; undefined if it contains no known kind. */
export function secretByForm(text: string): string | undefined {
  return SECRET_FORMS.find(([pattern]) => pattern.test(text))?.[1];
}
