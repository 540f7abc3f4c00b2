import { nameOfKey } from "../migrations/schema/schema-object";
import { keyOf } from "../migrations/sql/identifier";
import type { DatabaseTable, ForeignKey } from "./database";
import { argumentOf, attributeOf, type Field, type Model, mappedName, textOf } from "./datamodel";
import { expectedColumn, keyIn } from "./expected-columns";
import { conventionalName } from "./names";
import { fieldNames } from "./native-type";

const actions: Readonly<Record<string, string>> = {
  Cascade: "c",
  Restrict: "r",
  NoAction: "a",
  SetNull: "n",
  SetDefault: "d",
};

/** The foreign keys that Prisma makes for the relations of a model. */
export function expectedForeignKeys(model: Model, models: ReadonlyMap<string, Model>, table: string): ForeignKey[] {
  return model.fields.flatMap((field): ForeignKey[] => {
    const relation = attributeOf(field, "relation");
    const target = models.get(field.type ?? "");
    const fields = fieldNames(relation, "fields");
    if (!relation || !target || fields.length === 0) return [];
    const own = new Map(model.fields.map((each) => [each.name, each]));
    const columns = fields.map((name) => columnName(own.get(name), name));
    const theirs = new Map(target.fields.map((each) => [each.name, each]));
    const optional = field.arity === "optional" && fields.every((name) => own.get(name)?.arity !== "required");
    return [
      {
        name: textOf(argumentOf(relation, "map")) ?? conventionalName(table, columns, "fkey"),
        columns,
        references: keyIn(target),
        referenced: fieldNames(relation, "references").map((name) => columnName(theirs.get(name), name)),
        onDelete: actionOf(relation, "onDelete") ?? (optional ? "n" : "r"),
        onUpdate: actionOf(relation, "onUpdate") ?? "c",
        place: field.place,
      },
    ];
  });
}

function columnName(field: Field | undefined, name: string): string {
  return (field && mappedName(field)) ?? name;
}

function actionOf(relation: Parameters<typeof argumentOf>[0], key: "onDelete" | "onUpdate"): string | undefined {
  return actions[textOf(argumentOf(relation, key)) ?? ""];
}

/** One end of a relation of many to many for which no model stands between. */
interface End {
  readonly model: Model;
  readonly field: Field;
  readonly name: string | undefined;
}

/**
 * The tables that Prisma makes for relations of many to many: `_AToB`, with the columns `A` and `B`. Source: Prisma
 * documentation, many-to-many relations, "conventions for relation tables in implicit m-n relations".
 */
export function expectedJoinTables(
  models: ReadonlyMap<string, Model>,
  enums: Parameters<typeof expectedColumn>[1],
  foreignKeys: boolean,
): DatabaseTable[] {
  const ends = [...models.values()].flatMap((model) =>
    model.fields.flatMap((field): End[] => {
      if (field.arity !== "list" || !models.has(field.type ?? "")) return [];
      const name = argumentOf(attributeOf(field, "relation"), "name", true);
      return [{ model, field, name: textOf(name) }];
    }),
  );
  return ends.flatMap((end): DatabaseTable[] => {
    const other = ends.find((each) => each !== end && matches(end, each) && matches(each, end));
    if (!other || !isFirst(end, other)) return [];
    return [joinTable(end, other, enums, foreignKeys)];
  });
}

function matches(end: End, other: End): boolean {
  return end.field.type === other.model.name && end.name === other.name;
}

/** Whether an end is the one that the column `A` references: by the names of the models, or else of the fields. */
function isFirst(end: End, other: End): boolean {
  if (end.model.name !== other.model.name) return end.model.name < other.model.name;
  return end.field.name < other.field.name;
}

function joinTable(a: End, b: End, enums: Parameters<typeof expectedColumn>[1], foreignKeys: boolean): DatabaseTable {
  const { schema } = nameOfKey(keyIn(a.model));
  const name = `_${a.name ?? `${a.model.name}To${b.model.name}`}`;
  const key = keyOf({ ...(schema !== undefined && { schema }), name });
  const sides = [
    { column: "A", model: a.model },
    { column: "B", model: b.model },
  ].map((side) => ({ ...side, id: idOf(side.model) }));
  const { place } = a.field;
  const plain = { method: "btree", place };
  return {
    key,
    joins: true,
    place,
    columns: new Map(
      sides.map(({ column, id }) => {
        const type = id && expectedColumn(id, enums)?.type;
        return [column, { name: column, type, required: true, default: { kind: "none" }, place }];
      }),
    ),
    indexes: [
      { ...plain, name: `${name}_AB_pkey`, kind: "primary", columns: ["A", "B"], elements: [ascending, ascending] },
      { ...plain, name: `${name}_B_index`, kind: "index", columns: ["B"], elements: [ascending] },
    ],
    foreignKeys: sides.flatMap(({ column, model, id }) =>
      foreignKeys && id
        ? {
            name: `${name}_${column}_fkey`,
            columns: [column],
            references: keyIn(model),
            referenced: [mappedName(id) ?? id.name],
            onDelete: "c",
            onUpdate: "c",
            place,
          }
        : [],
    ),
  };
}

const ascending = { descending: false };

function idOf(model: Model): Field | undefined {
  const [only] = fieldNames(attributeOf(model, "id"), "fields", true);
  return model.fields.find((field) => attributeOf(field, "id") !== undefined || field.name === only);
}
