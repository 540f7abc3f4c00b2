import type { Constraint as ConstraintNode } from "libpg-query";
import { constraintOf } from "../schema/definition";
import type { Constraint } from "../schema/objects";
import { identifier, keyOf, nameText, partsOf } from "../sql/identifier";
import type { AlteredBefore } from "./family";
import { notInHistory, type Undo } from "./undo";
import { indexAgain } from "./undo-index";

/** Drops a constraint that ADD CONSTRAINT has made, with what it has changed besides. */
export function dropAddedConstraint(node: ConstraintNode, before: AlteredBefore): Undo[] {
  const { name, key, table, schema, alter } = before;
  const constraint = constraintOf(node, name.name, schema);
  if (!constraint) return [{ of: { kind: "table", key }, never: "this program knows no constraint of that kind" }];
  const { kind, columns, mentions = [] } = constraint;
  const all = [...new Set([...columns, ...mentions])];
  const of = { kind: "constraint", key, part: constraint.name } as const;
  const chosen = node.conname === undefined && node.indexname === undefined;
  if (chosen && (isTaken(constraint.name, before) || Buffer.byteLength(constraint.name) > 63))
    return [{ of, never: "Postgres has chosen its name, and the history doesn't show which" }];
  if (kind === "not null") {
    const column = columns[0] ?? "";
    if (table?.columns.get(column)?.notNull) return [];
    return [{ of, columns: all, sql: [alter(`ALTER COLUMN ${identifier(column)} DROP NOT NULL`)], drops: true }];
  }
  // A primary key makes its columns NOT NULL, and dropping it leaves that.
  const nullable = kind === "primary" ? columns.filter((column) => table?.columns.get(column)?.notNull === false) : [];
  if (kind === "primary" && columns.some((column) => !table?.columns.has(column)))
    return [{ of, never: `${notInHistory}: its columns may have been NOT NULL already` }];
  const index = node.indexname === undefined ? [] : indexAgain({ ...name, name: node.indexname }, before);
  if (index === undefined)
    return [{ of, never: `it took the place of the index ${node.indexname}, and ${notInHistory}` }];
  return [
    {
      of,
      columns: all,
      sql: [
        [
          alter(`DROP CONSTRAINT ${identifier(constraint.name)}`),
          ...nullable.map((column) => alter(`ALTER COLUMN ${identifier(column)} DROP NOT NULL`)),
        ].join(";\n"),
        ...index,
      ],
      drops: true,
    },
  ];
}

/** Whether the name that Postgres would choose is in use, so that it has chosen another one. */
function isTaken(constraint: string, { name, table, schema }: AlteredBefore): boolean {
  return (
    !table?.known ||
    table.constraints.some((each) => each.name === constraint) ||
    schema.indexes.has(keyOf({ ...name, name: constraint })) ||
    schema.tables.has(keyOf({ ...name, name: constraint }))
  );
}

/** Adds a constraint again that DROP CONSTRAINT has dropped, without blocking writes while the rows are checked. */
export function earlierConstraint(part: string, cascade: boolean, before: AlteredBefore): Undo[] {
  const { key, table, alter } = before;
  const of = { kind: "constraint", key, part } as const;
  const known = table?.constraints.find(({ name }) => name === part);
  const node = definitionOf(part, before);
  if (cascade) return [{ of, never: "CASCADE: what depended on it was dropped with it" }];
  const columns = known && [...known.columns, ...(known.mentions ?? [])];
  if (!known || !node || !columns) return [{ of, never: notInHistory }];
  const add = (constraint: ConstraintNode) => addition(constraint, before);
  const { kind, valid } = known;
  const note = `It fails if rows break ${identifier(part)} by then.`;
  if (kind === "check" || kind === "foreign") {
    const later = add({ ...node, skip_validation: true });
    const sql = valid ? [later, alter(`VALIDATE CONSTRAINT ${identifier(part)}`)] : [later];
    return later === undefined
      ? [{ of, never: notInHistory }]
      : [{ of, columns, sql: sql.map(String), apart: true, note }];
  }
  const whole = add(node);
  if (whole === undefined) return [{ of, never: notInHistory }];
  return [{ of, columns, sql: uniqueAgain(part, node, known, before) ?? [whole], apart: true, note }];
}

/** A unique or primary key by an index that is built while the app writes; undefined where that is not the same. */
function uniqueAgain(
  part: string,
  node: ConstraintNode,
  { kind, columns }: Constraint,
  before: AlteredBefore,
): string[] | undefined {
  const { name, table, alter } = before;
  if ((kind !== "unique" && kind !== "primary") || table?.partitioned || table?.parent !== undefined) return undefined;
  const special = ["options", "indexspace", "without_overlaps", "exclusions"] as const;
  if (special.some((field) => node[field] !== undefined)) return undefined;
  const list = (names: readonly string[]) => names.map(identifier).join(", ");
  const including = partsOf(node.including);
  const include = including.length > 0 ? ` INCLUDE (${list(including)})` : "";
  const nulls = node.nulls_not_distinct ? " NULLS NOT DISTINCT" : "";
  const deferred = node.deferrable ? ` DEFERRABLE${node.initdeferred ? " INITIALLY DEFERRED" : ""}` : "";
  const i = identifier(part);
  return [
    `CREATE UNIQUE INDEX CONCURRENTLY ${i} ON ${nameText(name)} (${list(columns)})${include}${nulls}`,
    alter(`ADD CONSTRAINT ${i} ${kind === "primary" ? "PRIMARY KEY" : "UNIQUE"} USING INDEX ${i}${deferred}`),
  ];
}

/** Makes a validated constraint NOT VALID again, as it was before VALIDATE CONSTRAINT. */
export function notValidAgain(part: string, before: AlteredBefore): Undo[] {
  const { key, table, alter } = before;
  const of = { kind: "constraint", key, part } as const;
  const known = table?.constraints.find(({ name }) => name === part);
  if (known?.valid) return [];
  const node = definitionOf(part, before);
  const added = node && addition({ ...node, skip_validation: true }, before);
  if (!known || added === undefined)
    return [{ of, harmless: true, never: "it stays validated, which changes nothing for new rows" }];
  const head = alter("");
  return [{ of, sql: [alter(`DROP CONSTRAINT ${identifier(part)}, ${added.slice(head.length)}`)] }];
}

function definitionOf(part: string, { schema, key }: AlteredBefore): ConstraintNode | undefined {
  const node = schema.definitions?.get({ kind: "constraint", key, part })?.node;
  return node && "Constraint" in node ? node.Constraint : undefined;
}

/** `ALTER TABLE … ADD CONSTRAINT …` */
function addition(constraint: ConstraintNode, { write, alter }: AlteredBefore): string | undefined {
  const text = write({ Constraint: constraint });
  return text === undefined ? undefined : alter(`ADD ${text}`);
}
