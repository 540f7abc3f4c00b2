/**
 * Returns the connection string with settings for every session that it opens, in the form that Prisma and libpq
 * accept: `options=-c name=value`. Options that it already has are kept and come first, so that the new ones win. The
 * rest of the string is not changed.
 */
export function withSessionOptions(url: string, settings: Readonly<Record<string, string | number>>): string {
  const [base, query = ""] = cutAt(url, "?");
  const parameters = query === "" ? [] : query.split("&");
  const own = (parameter: string) => parameter.startsWith("options=");
  const given = parameters.filter(own).map((parameter) => new URLSearchParams(parameter).get("options") ?? "");
  const added = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const options = [...given, ...added].filter((part) => part !== "").join(" ");
  // A space is written as %20: Prisma's parser reads a + as a space too, but other parsers read it as a +.
  return `${base}?${[...parameters.filter((each) => !own(each)), `options=${encodeURIComponent(options)}`].join("&")}`;
}

function cutAt(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
