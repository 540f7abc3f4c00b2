/**
 * Writes a Prisma schema in the form that the parser of @mrleebo/prisma-ast takes: without comments, with each statement
 * on one line, and without white space at the ends of lines. Every statement keeps the line on which it begins.
 */
export function plainText(text: string): string {
  let plain = "";
  let depth = 0;
  // The line ends inside brackets, which are put behind the statement that contains them.
  let held = "";
  for (const [token] of text.replaceAll("\r\n", "\n").matchAll(tokens)) {
    const ends = isComment(token) || token === "\n" ? token.replace(/[^\n]/g, "") : undefined;
    if (ends === undefined) plain += token;
    else if (depth > 0) {
      held += ends;
      plain += " ";
    } else if (ends !== "") {
      plain = plain.replace(/[ \t]+$/, "") + ends + held;
      held = "";
    }
    if (/^[([]$/.test(token)) depth++;
    if (/^[)\]]$/.test(token)) depth = Math.max(0, depth - 1);
  }
  return plain.replace(/[ \t]+$/, "") + held;
}

function isComment(token: string): boolean {
  return token.startsWith("//") || token.startsWith("/*");
}

/** A string, a comment, the end of a line, or another character. */
const tokens = /"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\s\S]/g;
