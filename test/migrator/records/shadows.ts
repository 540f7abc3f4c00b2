import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";

/** What a shadow says when it is run; also in the server's log, so that an error that is caught somewhere is seen too. */
export const INTRUSION = "a shadow of the catalog was run";

/** Every word of the migrator's sources that could be the name of a function. */
function wordsOfMigrator(): string[] {
  const root = join(__dirname, "../../../migrator");
  const files = (readdirSync(root, { recursive: true }) as string[]).filter((file) => file.endsWith(".ts"));
  const words = files.flatMap((file) => readFileSync(join(root, file), "utf8").match(/\b[a-z][a-z0-9_]*(?=\()/g) ?? []);
  return [...new Set(words)];
}

/** Types that the queries' arguments have, or could be taken for. */
const TYPES = [
  ...["text", "name", "varchar", '"char"', "bool", "int2", "int4", "int8", "float8", "numeric"],
  ...["oid", "regclass", "timestamptz", "interval", "jsonb"],
];

/** Of these, the ones that our functions of two arguments are called with. */
const FEW = ["text", "name", "int4", "oid", "regclass", "numeric", "timestamptz"];

const OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "||", "~", "!~", "~~", "!~~", "->", "->>"];

const RELATIONS = `SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname NOT LIKE 'pg_toast%'`;

/**
 * Puts beside the server's catalog, in `public`, everything that a query could find there in its place: functions and operators of the
 * same names, of the same and of better fitting types, domains for the types, views for the tables. Each raises when it is run.
 * Any role that may create objects in the schema can do this.
 */
export async function shadowCatalog(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const all = async (statements: readonly string[]) => {
    // What can't be made (a type that no function may return, a name that is a keyword) is no danger either.
    const attempts = statements.map(
      (each) => `BEGIN EXECUTE ${client.escapeLiteral(each)}; EXCEPTION WHEN OTHERS THEN NULL; END;`,
    );
    for (let at = 0; at < attempts.length; at += 500)
      await client.query(`DO ${client.escapeLiteral(`BEGIN ${attempts.slice(at, at + 500).join("\n")} END`)}`);
  };
  const made = (name: string, args: string, returns: string) =>
    `CREATE FUNCTION public.${client.escapeIdentifier(name)}(${args}) RETURNS ${returns} LANGUAGE plpgsql AS
     ${client.escapeLiteral(`BEGIN RAISE EXCEPTION '${INTRUSION}: ${name}(${args.replaceAll("'", "")})'; END`)}`;
  try {
    await client.query("SET search_path = pg_catalog");
    const { rows } = await client.query<{ name: string; args: string; returns: string; arity: number }>(
      `SELECT proname AS name, pg_get_function_identity_arguments(oid) AS args, CASE WHEN proretset THEN 'SETOF ' ELSE '' END || prorettype::regtype AS returns,
         CASE WHEN provariadic <> 0 THEN 3 ELSE pronargs END AS arity FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ($1)`,
      [wordsOfMigrator()],
    );
    const exact = rows.map(({ name, args, returns }) => made(name, args, returns));
    const better = rows.flatMap(({ name, arity, returns }) => {
      const one = TYPES.map((type) => made(name, type, returns));
      const two = FEW.flatMap((left) => FEW.map((right) => made(name, `${left}, ${right}`, returns)));
      const three = TYPES.map((type) => made(name, `text, ${type}, ${type}`, returns));
      return arity === 0 ? [] : arity === 1 ? one : arity === 2 ? two : [...one, ...two, ...three];
    });
    await all([...exact, ...new Set(better)]);
    const operators = TYPES.flatMap((left) =>
      TYPES.flatMap((right) => {
        const args = `${left}, ${right}`;
        return [
          made("shadow_of_comparison", args, "bool"),
          made("shadow_of_arithmetic", args, left),
          ...OPERATORS.map((operator, index) => {
            const procedure = index < 6 || /~/.test(operator) ? "shadow_of_comparison" : "shadow_of_arithmetic";
            return `CREATE OPERATOR public.${operator} (PROCEDURE = public.${procedure}, LEFTARG = ${left}, RIGHTARG = ${right})`;
          }),
        ];
      }),
    );
    await all(operators);
    await all([
      made("shadow_of_value", "anyelement", "bool"),
      made("shadow_of_row", "", "bool"),
      ...TYPES.filter((type) => /^\w+$/.test(type)).map(
        (type) => `CREATE DOMAIN public.${type} AS pg_catalog.${type} CHECK (public.shadow_of_value(VALUE))`,
      ),
      ...(await client.query<{ relname: string }>(RELATIONS)).rows.map(
        ({ relname }) =>
          `CREATE VIEW public.${relname} AS SELECT * FROM pg_catalog.${relname} WHERE public.shadow_of_row()`,
      ),
    ]);
  } finally {
    await client.end();
  }
}
