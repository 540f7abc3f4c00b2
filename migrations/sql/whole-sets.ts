/**
 * The clauses that make a SELECT depend on all rows at once, by their field in the grammar.
 * Such a query can't be split into ranges of rows.
 */
const clauses = {
  groupClause: "GROUP BY",
  havingClause: "HAVING",
  distinctClause: "DISTINCT",
  windowClause: "WINDOW",
  limitCount: "LIMIT",
  limitOffset: "OFFSET",
  larg: "UNION, INTERSECT or EXCEPT",
} as const;

/** The clause, as it is written, that makes a SELECT depend on all rows at once; undefined if it has none. */
export function wholeSetClause(select: { readonly [field in keyof typeof clauses]?: unknown }): string | undefined {
  return Object.entries(clauses).find(([field]) => select[field as keyof typeof clauses] !== undefined)?.[1];
}
