import { nameOfKey } from "../../migrations/schema/schema-object";
import type { DatabaseTable, ForeignKey } from "../database";
import {
  argumentOf,
  attributeOf,
  type Datamodel,
  type Field,
  type Model,
  mappedName,
  type Place,
  textOf,
} from "../datamodel";
import { conventionalName } from "../names";
import { mapOf } from "./keys";
import { fieldOf, modelOf } from "./names";

/** The actions of a foreign key, as Prisma calls them. */
export const ACTIONS: Readonly<Record<string, string>> = {
  a: "NoAction",
  r: "Restrict",
  c: "Cascade",
  n: "SetNull",
  d: "SetDefault",
};

/** The two fields of a relation. */
interface Relation {
  /** The model that has the foreign key, and the line of its field. */
  readonly own: { readonly model: Model; readonly line: string };
  /** The other model, and the line of the field that leads back. */
  readonly other: { readonly model: Model; readonly line: string };
}

/** Returns the fields for a foreign key; undefined if one of its tables has no model. */
export function relationOf(key: ForeignKey, table: DatabaseTable, datamodel: Datamodel): Relation | undefined {
  const [model, target] = [modelOf(table.key, datamodel), modelOf(key.references, datamodel)];
  if (!model || !target) return undefined;
  const isOptional = (column: string) => table.columns.get(column)?.required === false;
  const optional = key.columns.some(isOptional);
  const named = model === target || relates(model, target) || relates(target, model);
  const name = named ? [JSON.stringify(key.name)] : [];
  const relation = [
    ...name,
    `fields: [${key.columns.map((column) => fieldOf(column, model)).join(", ")}]`,
    `references: [${key.referenced.map((column) => fieldOf(column, target)).join(", ")}]`,
    ...(key.onDelete === (key.columns.every(isOptional) ? "n" : "r") ? [] : [`onDelete: ${ACTIONS[key.onDelete]}`]),
    ...(key.onUpdate === "c" ? [] : [`onUpdate: ${ACTIONS[key.onUpdate]}`]),
    ...mapOf(key.name, conventionalName(nameOfKey(table.key).name, key.columns, "fkey")),
  ];
  const one = table.indexes.some(({ kind, columns }) => kind !== "index" && columns.join() === key.columns.join());
  const back = freeName(lowerFirst(model.name), target, key.name);
  return {
    own: {
      model,
      line: `${freeName(lowerFirst(target.name), model, key.name)} ${target.name}${optional ? "?" : ""} @relation(${relation.join(", ")})`,
    },
    other: {
      model: target,
      line: `${model === target ? `${back}_back` : back} ${model.name}${one ? "?" : "[]"}${named ? ` @relation(${name})` : ""}`,
    },
  };
}

/**
 * Returns the field of the other model that leads back from the relation whose field is at a place; undefined if there is
 * none.
 */
export function fieldBack(model: Model | undefined, { path, line }: Place, { models }: Datamodel): Field | undefined {
  const field = model?.fields.find(({ place }) => place.line === line && place.path === path);
  const nameOf = (of: Field) => textOf(argumentOf(attributeOf(of, "relation"), "name", true));
  return models
    .find(({ name }) => name === field?.type)
    ?.fields.find((each) => field && each !== field && each.type === model?.name && nameOf(each) === nameOf(field));
}

function relates(model: Model, target: Model): boolean {
  return model.fields.some(({ type }) => type === target.name);
}

/** Returns a name that no field of the model has. */
function freeName(name: string, { fields }: Model, key: string): string {
  const taken = new Set(fields.flatMap((field) => [field.name, mappedName(field) ?? field.name]));
  return taken.has(name) ? key.replace(/\W+/g, "_") : name;
}

function lowerFirst(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}
