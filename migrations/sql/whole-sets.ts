/** Clauses of a SELECT by which it depends on all rows at once, by their field in the grammar: it can't be had a range of rows at a time. */
const clauses = {
  groupClause: "GROUP BY",
  havingClause: "HAVING",
  distinctClause: "DISTINCT",
  windowClause: "WINDOW",
  limitCount: "LIMIT",
  limitOffset: "OFFSET",
  larg: "UNION, INTERSECT or EXCEPT",
} as const;

/** The clause of a SELECT by which it depends on all rows at once, as it is written; undefined where there is none. */
export function wholeSetClause(select: { readonly [field in keyof typeof clauses]?: unknown }): string | undefined {
  return Object.entries(clauses).find(([field]) => select[field as keyof typeof clauses] !== undefined)?.[1];
}
