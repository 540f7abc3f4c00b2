import { checksumOf } from "../../migrations/history/history";
import { comparePrisma } from "../../prisma/compare";
import { parsePrisma } from "../../prisma/parse";

/** Compares a schema with a history of one migration. The parser must be loaded. */
export function compare(schema: string, ...scripts: string[]) {
  const history = scripts.map((sql, at) => ({ name: `${at + 1}_migration`, sql, checksum: checksumOf(sql) }));
  return comparePrisma(parsePrisma([{ path: "schema.prisma", text: schema }]), history);
}

/** The differences in the form `kind object name: schema | history`, with the line of the schema. */
export function differences(schema: string, ...scripts: string[]): string[] {
  return compare(schema, ...scripts).differences.map(
    ({ kind, object, whole, part, schema: says, history, place }) =>
      `${place?.line ?? "-"}: ${kind} ${object} ${part === undefined ? whole : `${whole}.${part}`}: ${says} | ${history}`,
  );
}
