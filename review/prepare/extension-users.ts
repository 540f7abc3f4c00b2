import { dependentsOn } from "../../migrations/schema/dependents";
import type { Schema } from "../../migrations/schema/schema";
import { useOf } from "../../migrations/schema/uses";
import { target } from "../names";

/**
 * The types, functions and operator classes of the most used extensions that tables can depend on. The list is not
 * complete.
 */
const extensions: Readonly<Record<string, readonly string[]>> = {
  citext: ["citext"],
  cube: ["cube"],
  hstore: ["hstore"],
  ltree: ["ltree", "lquery", "ltxtquery"],
  pg_trgm: ["gin_trgm_ops", "gist_trgm_ops", "similarity"],
  pgcrypto: ["crypt", "gen_salt", "digest", "hmac", "gen_random_bytes"],
  postgis: ["geometry", "geography"],
  unaccent: ["unaccent"],
  "uuid-ossp": ["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_nil"],
  vector: ["vector", "halfvec", "sparsevec"],
};

/** Lists the objects of the history that use an extension's types, functions or operator classes. */
export function extensionUsers(extension: string, schema: Schema): string[] {
  return (extensions[extension] ?? []).flatMap((name) => [
    ...schema.using(name).map(({ table, column }) => `column ${column.name} of ${target(table.name)}`),
    ...dependentsOn(schema, useOf("function", name)).map(({ label }) => label),
    ...[...schema.indexes.values()]
      .filter(({ signature }) => signature.includes(`"${name}"`))
      .map((index) => `index ${index.name.name} on ${index.table}`),
  ]);
}
