import { nameOfKey } from "../../migrations/schema/schema-object";
import type { DatabaseEnum, DatabaseTable } from "../database";
import type { Datamodel } from "../datamodel";
import { newField, prismaName } from "./fields";

/** Returns the lines of a new enum. */
export function enumBlock({ key, values }: DatabaseEnum, datamodel: Datamodel): string[] {
  return block(
    "enum",
    key,
    values.map(({ name }) => enumValue(name)),
    datamodel,
  );
}

/** Returns the line of a value of an enum. */
export function enumValue(value: string): string {
  const name = prismaName(value);
  return name === value ? name : `${name} @map(${JSON.stringify(value)})`;
}

/** Returns the lines of a new model with the fields of its columns. */
export function modelBlock({ key, columns, indexes }: DatabaseTable, datamodel: Datamodel): string[] {
  const fields = [...columns.values()].map((column) => newField(column, datamodel));
  // Prisma's client needs a key by which it finds one row.
  const isKeyed = indexes.some(
    (index) => index.kind !== "index" && index.columns.every((column) => columns.get(column)?.required),
  );
  return block("model", key, [...fields, ...(isKeyed ? [] : ["@@ignore"])], datamodel);
}

function block(keyword: string, key: string, body: readonly string[], { schemas }: Datamodel): string[] {
  const { schema, name } = nameOfKey(key);
  const title = prismaName(name);
  return [
    `${keyword} ${title} {`,
    ...body,
    ...(title === name ? [] : [`@@map(${JSON.stringify(name)})`]),
    ...(schemas.length > 0 ? [`@@schema(${JSON.stringify(schema ?? "public")})`] : []),
    "}",
  ];
}
