import { counted } from "../../text/counted";
import { oneLine } from "../../text/printable";
import type { Review } from "../review";

/** The largest number of migrations that are named. The others are counted. */
const NAMED = 20;

/**
 * Names the migrations that a release would apply, one a line, each with its number of statements. At most 20 are
 * named, and the others are counted.
 */
export function pendingText({ migrations, before, first }: Pick<Review, "migrations" | "before" | "first">): string {
  if (migrations.length === 0)
    return before === 0
      ? "No migration is pending: the folder has none."
      : `No migration is pending: ${counted(before, "migration is", "migrations are")} applied already.`;
  const named = migrations.slice(0, NAMED);
  const width = Math.max(...named.map(({ name }) => name.length));
  const more = migrations.length - named.length;
  return [
    `${counted(migrations.length, "migration is", "migrations are")} pending${first ? ", assuming an EMPTY database" : ""}:`,
    ...named.map(({ name, statements, contract, hotfix }) => {
      const when = contract
        ? ", contract: after the rollout"
        : hotfix
          ? ", hotfix: only recorded where it is there"
          : "";
      return oneLine(`  ${name.padEnd(width)}  ${counted(statements, "statement")}${when}`);
    }),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ].join("\n");
}
