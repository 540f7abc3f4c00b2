import { nameOfKey } from "../migrations/schema/schema-object";
import type { Database, DatabaseTable } from "./database";
import { type Datamodel, mappedName } from "./datamodel";
import { expectedColumn, keyIn } from "./expected-columns";
import { expectedIndexes } from "./expected-indexes";
import { expectedForeignKeys, expectedJoinTables } from "./expected-relations";

/** The tables and enums that Prisma would make for a schema. Needs the SQL parser to be loaded. */
export function expectedDatabase({ models, enums, foreignKeys }: Datamodel): Database {
  const byName = new Map(models.map((model) => [model.name, model]));
  const enumsByName = new Map(enums.map((each) => [each.name, each]));
  const tables = models.map((model): DatabaseTable => {
    const key = keyIn(model);
    const { name } = nameOfKey(key);
    const columns = model.fields.flatMap((field) => expectedColumn(field, enumsByName) ?? []);
    return {
      key,
      columns: new Map(columns.map((column) => [column.name, column])),
      indexes: expectedIndexes(model, name),
      foreignKeys: foreignKeys ? expectedForeignKeys(model, byName, name) : [],
      place: model.place,
    };
  });
  const all = [...tables, ...expectedJoinTables(byName, enumsByName, foreignKeys)];
  return {
    tables: new Map(all.map((table) => [table.key, table])),
    enums: new Map(
      enums.map((each) => {
        const values = each.values.map((value) => ({ name: mappedName(value) ?? value.name, place: value.place }));
        return [keyIn(each), { key: keyIn(each), values, place: each.place }];
      }),
    ),
  };
}
