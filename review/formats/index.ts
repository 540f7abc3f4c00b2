import { jsonLines } from "../../text/printable";
import type { Review } from "../review";
import { formatGithub } from "./github";
import { formatMarkdown } from "./markdown";
import { type FormatOptions, notesOf } from "./rows";
import { formatSarif } from "./sarif";
import { formatText } from "./text";
import { withoutValues } from "./without-values";

export { commentMark, largestComment } from "./markdown";
export type { FormatOptions } from "./rows";

/** The formats in which a review can be written. */
export const reviewFormats = ["text", "markdown", "json", "sarif", "github"] as const;
/** One of {@link reviewFormats}. */
export type ReviewFormat = (typeof reviewFormats)[number];

/**
 * Writes a review in one of the formats, for a terminal, a comment, a program, code scanning, or the annotations of a
 * workflow. Constants of the statements are left out.
 */
export function formatReview(whole: Review, format: ReviewFormat, options: FormatOptions = {}): string {
  const review = withoutValues(whole);
  switch (format) {
    case "text":
      return formatText(review, options);
    case "markdown":
      return formatMarkdown(review, options);
    case "json":
      return `${jsonLines({ version: 1, notes: notesOf(review, options), ...review })}\n`;
    case "sarif":
      return formatSarif(review, options);
    case "github":
      return formatGithub(review, options);
  }
}
