/**
 * The connection string with settings for every session that it opens, as Prisma and libpq take them: `options=-c name=value`.
 * What it had there already stays, and comes first, so that these win. Everything else of it is left as it is written.
 */
export function withSessionOptions(url: string, settings: Readonly<Record<string, string | number>>): string {
  const [base, query = ""] = cutAt(url, "?");
  const parameters = query === "" ? [] : query.split("&");
  const own = (parameter: string) => parameter.startsWith("options=");
  const given = parameters.filter(own).map((parameter) => new URLSearchParams(parameter).get("options") ?? "");
  const added = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const options = [...given, ...added].filter((part) => part !== "").join(" ");
  // A space as %20: to Prisma's parser a + is a space too, to others it is a +.
  return `${base}?${[...parameters.filter((each) => !own(each)), `options=${encodeURIComponent(options)}`].join("&")}`;
}

function cutAt(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
