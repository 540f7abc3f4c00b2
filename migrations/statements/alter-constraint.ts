import type { AlterTableCmd, AlterTableType, Constraint as ConstraintNode } from "libpg-query";
import { addConstraint, constraintOf } from "../schema/definition";
import { defined, type Expectation, gone, there } from "../schema/expectation";
import type { Constraint, Table } from "../schema/objects";
import { recordConstraint } from "../schema/record";
import { identifier, keyOf, nameOf, partsOf } from "../sql/identifier";
import { columnsMentioned } from "../sql/references";
import type { Altered, Subcommand } from "./family";
import { dropAddedConstraint, earlierConstraint, notValidAgain } from "./undo-constraint";

/** The subcommands of ALTER TABLE that concern constraints. */
export const alterConstraint = {
  AT_AddConstraint: {
    opinion: "judged",
    lock: (cmd) => (addedBy(cmd)?.contype === "CONSTR_FOREIGN" ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE"),
    work: (cmd, on) => checkAdded(addedBy(cmd), on),
    apply(cmd, table, schema) {
      const node = addedBy(cmd);
      const constraint = node && constraintOf(node, table.name.name, schema);
      if (!constraint) return;
      recordConstraint(node, constraint, table, schema);
      // USING INDEX renames the index to the constraint's name.
      if (node.indexname !== undefined) {
        const index = keyOf({ ...table.name, name: node.indexname });
        schema.indexes.delete(index);
        schema.definitions?.delete({ kind: "index", key: index });
      }
      addConstraint(constraint, table, schema);
    },
    expect: (cmd, table) => expectAdded(addedBy(cmd) ?? {}, table),
    undo: (cmd, before) => dropAddedConstraint(addedBy(cmd) ?? {}, before),
  },
  AT_DropConstraint: {
    opinion: "judged",
    work({ name: dropped, behavior }, { name, table, schema, effects }) {
      const constraint = named(table, dropped);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ACCESS EXCLUSIVE");
      const isKey = constraint?.kind === "primary" || constraint?.kind === "unique";
      if (isKey && behavior === "DROP_CASCADE")
        for (const other of schema.referencing(keyOf(name))) effects.touch(other.name, "ACCESS EXCLUSIVE");
    },
    apply({ name = "" }, table, schema) {
      for (const { kind, name: dropped, columns } of table.constraints) {
        const nullable = kind === "not null" && dropped === name ? table.columns.get(columns[0] ?? "") : undefined;
        if (nullable) nullable.notNull = false;
      }
      table.constraints = table.constraints.filter((constraint) => constraint.name !== name);
      schema.indexes.delete(keyOf({ ...table.name, name }));
      schema.definitions?.delete({ kind: "constraint", key: keyOf(table.name), part: name });
    },
    depend: ({ name = "" }, table, schema) => schema.dependents.delete(`check ${table} ${name}`),
    expect: ({ name }, table) => [gone(`constraint ${table}.${name}`)],
    undo: ({ name = "", behavior }, before) => earlierConstraint(name, behavior === "DROP_CASCADE", before),
  },
  AT_ValidateConstraint: {
    opinion: "judged",
    lock: "SHARE UPDATE EXCLUSIVE",
    work({ name }, { table, schema, effects, on }) {
      const constraint = named(table, name);
      if (constraint?.valid) return;
      on("scan", "every row is checked", constraint === undefined);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ROW SHARE");
    },
    apply({ name }, table) {
      for (const constraint of table.constraints)
        if (constraint.name === name) {
          constraint.valid = true;
          const target = constraint.kind === "not null" ? table.columns.get(constraint.columns[0] ?? "") : undefined;
          if (target) target.notNull = true;
        }
    },
    expect: ({ name }, table) => [defined(`constraint ${table}.${name}`, /^(?!.* NOT VALID)/s, "validated")],
    undo: ({ name = "" }, before) => notValidAgain(name, before),
  },
  AT_AlterConstraint: {
    opinion: "judged",
    apply({ def }, table, schema) {
      const name = def && "ATAlterConstraint" in def ? def.ATAlterConstraint.conname : undefined;
      schema.definitions?.giveUp({ kind: "constraint", key: keyOf(table.name), part: name ?? "" });
    },
    work({ def }, { table, schema, effects, on }) {
      const change = def && "ATAlterConstraint" in def ? def.ATAlterConstraint : undefined;
      if (!change?.alterEnforceability) return;
      const constraint = named(table, change.conname);
      if (constraint?.references !== undefined) effects.touch(schema.named(constraint.references), "ACCESS EXCLUSIVE");
      if (change.is_enforced) on("scan", "every row is checked", constraint === undefined);
    },
  },
} satisfies Partial<Record<AlterTableType, Subcommand>>;

function named(table: Table | undefined, name: string | undefined): Constraint | undefined {
  return table?.constraints.find((item) => item.name === name);
}

function addedBy({ def }: AlterTableCmd): ConstraintNode | undefined {
  return def && "Constraint" in def ? def.Constraint : undefined;
}

/** Records what Postgres reads or builds for a new constraint. */
function checkAdded(node: ConstraintNode | undefined, { name, table, schema, effects, on }: Altered): void {
  const later = node?.skip_validation === true;
  switch (node?.contype) {
    case "CONSTR_FOREIGN":
      if (node.pktable && keyOf(nameOf(node.pktable)) !== keyOf(name))
        effects.touch(nameOf(node.pktable), "SHARE ROW EXCLUSIVE");
      if (!later) on("scan", "every row is looked up in the other table");
      break;
    case "CONSTR_CHECK":
    case "CONSTR_NOTNULL":
      if (!later) on("scan", "every row is checked");
      break;
    case "CONSTR_UNIQUE":
    case "CONSTR_PRIMARY": {
      if (node.indexname === undefined) on("index");
      if (node.contype === "CONSTR_UNIQUE") break;
      const columns =
        node.indexname === undefined
          ? partsOf(node.keys)
          : [...schema.indexes.values()].find((index) => index.name.name === node.indexname)?.columns;
      for (const column of columns ?? [])
        if (!table?.columns.get(column)?.notNull && !provesNotNull(table, column))
          on("scan", `NULLs are looked for in ${identifier(column)}`);
      break;
    }
    case "CONSTR_EXCLUSION":
      on("index");
      break;
    default: // the other kinds can't be added to an existing table
  }
}

/** Whether a validated check of the table proves that a column has no NULLs. */
export function provesNotNull(table: Table | undefined, column: string): boolean {
  return table?.constraints.some(({ notNullOf, valid }) => notNullOf?.includes(column) && valid) === true;
}

function expectAdded(node: ConstraintNode, table: string): Expectation[] {
  const { conname, contype, indexname, keys, fk_attrs } = node;
  const schema = table.slice(0, table.lastIndexOf(".") + 1);
  const found: Expectation[] = [];
  if (conname && contype !== "CONSTR_NOTNULL")
    found.push({
      ...there(`constraint ${table}.${conname}`),
      columns: new Set([...columnsMentioned(node), ...partsOf(keys), ...partsOf(fk_attrs)]),
    });
  // USING INDEX gives the constraint's name to the index.
  if (conname && indexname && indexname !== conname) found.push(gone(`index ${schema}${indexname}`));
  // A primary key makes its columns NOT NULL, which replaces earlier expectations about their definition.
  if (contype === "CONSTR_PRIMARY") found.push(...partsOf(keys).map((key) => there(`column ${table}.${key}`)));
  return found;
}
