import { identifier } from "../sql/identifier";
import type { AlteredBefore } from "./family";
import type { Inverse } from "./undo";

/**
 * Makes a column NOT NULL again. The rows are searched by a check that is validated, which lets the app read and write;
 * Postgres then takes the check as the proof.
 */
export function setNotNull(column: string, { name, alter }: AlteredBefore): Pick<Inverse, "sql" | "apart" | "note"> {
  const proof = cutToName(`${name.name}_${column}_is_set`);
  const [c, check] = [identifier(column), identifier(proof)];
  return {
    sql: [
      alter(`ADD CONSTRAINT ${check} CHECK (${c} IS NOT NULL) NOT VALID`),
      [
        alter(`VALIDATE CONSTRAINT ${check}`),
        alter(`ALTER COLUMN ${c} SET NOT NULL`),
        alter(`DROP CONSTRAINT ${check}`),
      ].join(";\n"),
    ],
    apart: true,
    note: `It fails if a row has no ${column} by then: fill those in before.`,
  };
}

/** Cuts a name to 63 bytes, which is Postgres' limit. */
function cutToName(text: string): string {
  let name = text;
  while (Buffer.byteLength(name) > 63) name = name.slice(0, -1);
  return name;
}
