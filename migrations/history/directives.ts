import { distance } from "fastest-levenshtein";
import { readBatchOptions } from "../batches/batch-options";
import { tokensOf } from "../sql/tokens";

const names = ["contract", "hotfix", "batch"] as const;

/** An instruction to the release, written as a comment in a migration: `-- release: contract`. */
export interface Directive {
  readonly name: (typeof names)[number];
  /** The rest of the line after the name, without white space around it. */
  readonly text: string;
  /** The line of the comment in the file, counted from 1. */
  readonly line: number;
}

/** A comment that looks like a directive but isn't a valid one. */
export interface BadDirective {
  /** A clause that continues the name of the migration: `has "…", which …`. */
  readonly problem: string;
  /** The line of the comment in the file, counted from 1. */
  readonly line: number;
  /** False where the comment may as well be an ordinary one. */
  readonly certain: boolean;
}

/** The valid directives in a stretch of comments, and the comments that only look like one. */
export interface Directives {
  readonly directives: readonly Directive[];
  readonly bad: readonly BadDirective[];
}

const allNames = names.map((name) => `"-- release: ${name}"`).join(", ");

const none: Directives = { directives: [], bad: [] };
const written = /^\s*--+\s*release\s*:\s*([a-z]\S*)[ \t]*(.*?)\s*$/i;
/**
 * Matches a directive whose word is right and whose punctuation is wrong: `-- release contract`, `# releases: batch`.
 */
const almost = /^\s*(?:--+|#)\s*releases?\s*[:=-]?\s*(contract|hotfix|batch)\b[ \t]*(.*?)\s*$/i;

/**
 * Finds the directives in a stretch of comments and white space. A
 * directive is `-- release: NAME …`, alone on its line.
 * @param line the line of the stretch's first character, counted from 1
 * @param begins whether the stretch starts at the beginning of a line; otherwise its first line follows a statement,
 * and a directive there isn't valid
 */
export function directivesIn(comments: string, line: number, begins: boolean): Directives {
  if (!/release/i.test(comments)) return none;
  const directives: Directive[] = [];
  const bad: BadDirective[] = [];
  for (const [index, text] of withoutBlocks(comments).split("\n").entries()) {
    const behind = index === 0 && !begins;
    const found = read(behind ? text.replace(/^[\s;]+/, "") : text, line + index);
    if (found === undefined) continue;
    if ("name" in found && behind)
      bad.push({ ...found, certain: true, problem: `${shown(text)}, which stands behind a statement: ${alone}` });
    else if ("name" in found) directives.push(found);
    else bad.push(found);
  }
  return { directives, bad };
}

const alone = "a directive has a line of its own, above its statement";

/** Finds directives in the middle of a statement, where they have no effect. */
export function directivesInside(statement: string, line: number): BadDirective[] {
  if (!/--+\s*releases?\s*[:=-]/i.test(statement)) return [];
  const bad: BadDirective[] = [];
  let at = 0;
  for (const { start, end } of tokensOf(statement)) {
    const before = statement.slice(0, at).split("\n").length - 1;
    for (const { text, line: on } of at < start
      ? directivesIn(statement.slice(at, start), line + before, true).directives
      : [])
      bad.push({ problem: `a directive ("${text}") in the middle of a statement: ${alone}`, line: on, certain: true });
    at = end;
  }
  return bad;
}

function read(text: string, line: number): Directive | BadDirective | undefined {
  const [, word = "", rest = ""] = written.exec(text) ?? [];
  const name = names.find((each) => each === word.toLowerCase());
  const wrong = (problem: string, certain = true): BadDirective => ({
    problem: `${shown(text)}, ${problem}`,
    line,
    certain,
  });
  if (name === "batch") {
    const options = readBatchOptions(rest);
    return "problem" in options ? wrong(options.problem) : { name, text: rest, line };
  }
  if (name) return rest === "" ? { name, text: rest, line } : wrong(`and nothing may follow "-- release: ${name}"`);
  const meant = names.find((each) => resembles(word.toLowerCase(), each));
  if (meant) return wrong(`which is no directive: "-- release: ${meant}" is`);
  if (word !== "") return wrong(`which is no directive (${allNames} are)`, false);
  const [, almostName = "", after = ""] = almost.exec(text) ?? [];
  const fits = almostName.toLowerCase() === "batch" ? !("problem" in readBatchOptions(after)) : after === "";
  return almostName !== "" && fits
    ? wrong(`which is no directive: it is written "-- release: ${almostName}"`)
    : undefined;
}

function shown(text: string): string {
  const trimmed = text.replace(/^[\s;]+/, "").trimEnd();
  return `has "${trimmed.length > 60 ? `${trimmed.slice(0, 59)}…` : trimmed}"`;
}

/** Whether a word is a misspelling of a directive's name: `contact`, `contracts`, `bacth`. */
function resembles(word: string, name: string): boolean {
  return word.startsWith(name) || (word[0] === name[0] && distance(word, name) <= 2);
}

/**
 * Replaces block comments by spaces, so that a directive that is commented out isn't found. Line
 * ends stay, so that lines are counted correctly.
 */
function withoutBlocks(comments: string): string {
  const mark = /--[^\n]*|\/\*|\*\//g;
  let depth = 0;
  let start = 0;
  let result = "";
  let at = 0;
  // Inside a block comment, `--` doesn't begin a line comment.
  for (let found = mark.exec(comments); found; found = mark.exec(comments)) {
    if (found[0] === "/*" && depth++ === 0) {
      result += comments.slice(at, found.index);
      start = found.index;
    } else if (found[0] === "*/" && depth > 0 && --depth === 0) {
      at = mark.lastIndex;
      result += comments.slice(start, at).replace(/[^\n]/g, " ");
    } else if (depth > 0 && found[0].startsWith("--")) mark.lastIndex = found.index + 2;
  }
  return depth > 0 ? result : result + comments.slice(at);
}
