const LIMIT = 5;

/** A rule of markdownlint: a paragraph, also one in a list or a quotation, has at most five lines. */
export default {
  names: ["short-paragraphs"],
  description: `Paragraphs have at most ${LIMIT} lines`,
  tags: ["paragraphs"],
  parser: "micromark",
  function: ({ parsers }, onError) => {
    const look = (token) => {
      const lines = token.endLine - token.startLine + 1;
      if (token.type === "paragraph" && lines > LIMIT)
        onError({ lineNumber: token.startLine, detail: `Expected: at most ${LIMIT} lines; Actual: ${lines}` });
      token.children.forEach(look);
    };
    parsers.micromark.tokens.forEach(look);
  },
};
