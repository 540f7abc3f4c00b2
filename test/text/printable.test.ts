import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { markdownBlock, markdownCode, markdownText } from "../../text/markdown";
import { jsonLine, oneLine, printable } from "../../text/printable";

/** Pieces that a name could be made of to mislead a person, a terminal, a CI runner or a Markdown page. */
const pieces = fc.oneof(
  fc.constantFrom(
    ..."\n|\r|\r\n|\u001b[2J|\u009b31m|\u202e|\u2028|\u200b|\u0000|::error::x|::|##[group]|##vso[task.x]y|REPORT {}| |\t".split(
      "|",
    ),
    ..."|| `` ``` ~~~ ** __ _x_ [a](b) ![a](b) <b> </code> <!-- --> &lt; @team @a/b #12 GH-3 https://e.example www.e.example a@e.example :tada: $x$ --- # 1. - > = \\".split(
      " ",
    ),
  ),
  fc.string(),
);
const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(""));
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u;

describe("whatever a name holds", () => {
  test("it is one line, without control characters and without a command for a CI runner", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const line = oneLine(text);
        expect(line.replaceAll("\t", "")).not.toMatch(UNSEEN);
        expect(line).not.toMatch(/^\s*::|##(\[|vso\[)/i);
        for (const each of printable(text).split("\n")) expect(each).toBe(oneLine(each));
      }),
    );
  });

  test("JSON of it reads back as the same, on a line without a command", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const line = jsonLine({ [text]: text });
        expect(JSON.parse(line)).toEqual({ [text]: text });
        expect(line).not.toMatch(UNSEEN);
        expect(line).not.toMatch(/##/);
      }),
    );
  });

  test("it is no HTML, link, mention, emphasis or end of a cell in Markdown", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const shown = markdownText(text);
        expect(shown).not.toMatch(/[\n\r<>*`[\]~$]|(?<!\\)\||@|(?<!&)#/);
        expect(shown).not.toMatch(/&(?!(amp|lt|gt|#\d+);)/);
        expect(shown).not.toMatch(/:\/\/|www\.|^\s*([-+=]|\d+[.)])|:\w+:|GH-\d/i);
        // What is shown is the same text, but for white space and what can't be seen.
        const decoded = shown
          .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&amp;", "&")
          .replaceAll("\\|", "|")
          .replaceAll("\u2060", "");
        expect(decoded).toBe(oneLine(text.replace(/\s+/g, " ").trim()));
      }),
    );
  });

  test("as code it stays inside of its marks, as a block inside of its fence", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const code = markdownCode(text);
        expect(code).toMatch(/^(`[^`|\n]+`|<code>[^<>|`@\n]*<\/code>)$/);
        const [fence = "", ...lines] = markdownBlock(text);
        const end = lines.pop() ?? "";
        expect(end).toBe(fence);
        for (const line of lines) expect(/^\s*(`*)/.exec(line)?.[1]?.length).toBeLessThan(fence.length);
      }),
    );
  });

  test("names that are usual stay readable", () => {
    expect(markdownText('"public"."order_items": ACCESS EXCLUSIVE (12 %), 9 migrations')).toBe(
      '"public"."order_items": ACCESS EXCLUSIVE (12 %), 9 migrations',
    );
    expect(markdownCode("kubectl logs job/notes-migrate-3f -n notes")).toBe(
      "`kubectl logs job/notes-migrate-3f -n notes`",
    );
  });
});
