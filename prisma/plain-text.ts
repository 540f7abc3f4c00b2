/**
 * Writes a Prisma schema in the form that the parser of @mrleebo/prisma-ast takes: without comments, with each statement
 * on one line, and without white space at the ends of lines. Every statement keeps the line on which it begins.
 */
export function plainText(text: string): string {
  const plain: string[] = [];
  let line = "";
  let depth = 0;
  // The line ends inside brackets, which are put behind the statement that contains them.
  let held = "";
  for (const [token] of text.replaceAll("\r\n", "\n").matchAll(tokens)) {
    const ends = isComment(token) || token === "\n" ? token.replace(/[^\n]/g, "") : undefined;
    if (ends === undefined) line += token;
    else if (depth > 0) {
      held += ends;
      line += " ";
    } else if (ends !== "") {
      plain.push(line.replace(/[ \t]+$/, ""), ends, held);
      line = "";
      held = "";
    }
    if (/^[([]$/.test(token)) depth++;
    if (/^[)\]]$/.test(token)) depth = Math.max(0, depth - 1);
  }
  return [...plain, line.replace(/[ \t]+$/, ""), held].join("");
}

function isComment(token: string): boolean {
  return token.startsWith("//") || token.startsWith("/*");
}

/** A string, a comment, the end of a line, other characters that mean nothing here, or one that may mean something. */
const tokens = /"(?:\\.|[^"\\\n])*"|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[^"/\n()[\]]+|[\s\S]/g;
