import { type DriftObject, type Fact, factList, factText } from "./object";
import { changedFacts, type Rule } from "./rule";

const alterTable = (table: string | null, action: string) => `ALTER TABLE ${table} ${action}`;

/** Tables, with their columns when they are made whole. */
export const table: Rule = {
  loses: "all its rows",
  create(object, { to }) {
    const { name, facts } = object;
    const unlogged = facts["unlogged"] ? "UNLOGGED " : "";
    const partitioned = facts["partition by"] ? ` PARTITION BY ${factText(facts["partition by"])}` : "";
    const options = facts["options"] ? ` WITH (${factText(facts["options"])})` : "";
    const inherits = facts["inherits"] ? ` INHERITS (${factText(facts["inherits"])})` : "";
    const columns = [...to.values()]
      .filter(({ kind, on }) => kind === "column" && on === name)
      .sort((a, b) => position(a) - position(b));
    const body = facts["partition of"]
      ? `PARTITION OF ${factText(facts["partition of"])} ${factText(facts["bound"])}`
      : `(${columns.map((column) => `\n  ${columnSql(column)}`).join(",")}\n)${inherits}`;
    return [
      `CREATE ${unlogged}TABLE ${name} ${body}${partitioned}${options}`,
      ...rowSecurity(object).filter((action) => /(^| )(ENABLE|FORCE)/.test(action) && !action.includes("NO FORCE")),
    ];
  },
  remove: ({ name }) => [`DROP TABLE ${name}`],
  alter(from, to) {
    const { name, facts } = to;
    const changed = changedFacts(from, to);
    if (changed.includes("partition by")) return { never: "Postgres can't change how a table is partitioned" };
    const sql: string[] = [];
    if (changed.includes("bound") || changed.includes("partition of")) {
      if (from.facts["partition of"])
        sql.push(alterTable(factText(from.facts["partition of"]), `DETACH PARTITION ${name}`));
      if (facts["partition of"])
        sql.push(alterTable(factText(facts["partition of"]), `ATTACH PARTITION ${name} ${factText(facts["bound"])}`));
    }
    const [before, after] = [factList(from.facts["inherits"]), factList(facts["inherits"])];
    for (const parent of before) if (!after.includes(parent)) sql.push(alterTable(name, `NO INHERIT ${parent}`));
    for (const parent of after) if (!before.includes(parent)) sql.push(alterTable(name, `INHERIT ${parent}`));
    if (changed.includes("unlogged")) sql.push(alterTable(name, `SET ${facts["unlogged"] ? "UNLOGGED" : "LOGGED"}`));
    sql.push(...optionChanges("TABLE", from, to));
    const security = rowSecurity(to);
    if (changed.includes("row security")) sql.push(security[0]!);
    if (changed.includes("forced row security")) sql.push(security[1]!);
    return sql;
  },
};

/** Columns of tables that are there. */
export const column: Rule = {
  droppedLast: true,
  loses: "all values of the column",
  create: (object) => [alterTable(object.on, `ADD COLUMN ${columnSql(object)}`)],
  remove: ({ on, name }) => [alterTable(on, `DROP COLUMN ${name}`)],
  changeLoses: (from, to) =>
    changedFacts(from, to).includes("type") ? "what the new type can't hold; it may fail on the rows" : undefined,
  alter(from, to, { major }) {
    const { on, name, facts } = to;
    const changed = new Set(changedFacts(from, to));
    const action = (text: string) => alterTable(on, `ALTER COLUMN ${name} ${text}`);
    const sql: string[] = [];
    if (changed.has("generated") || changed.has("kept")) {
      if (!facts["generated"]) sql.push(action("DROP EXPRESSION"));
      else if (from.facts["generated"] && !changed.has("kept") && major >= 17)
        sql.push(action(`SET EXPRESSION AS (${factText(facts["generated"])})`));
      else return undefined;
    }
    if (from.facts["identity"] && !facts["identity"]) sql.push(action("DROP IDENTITY"));
    const retyped = changed.has("type") || changed.has("collation");
    const redefaulted = changed.has("default") || (retyped && facts["default"]);
    if (redefaulted && from.facts["default"]) sql.push(action("DROP DEFAULT"));
    if (retyped) sql.push(action(`TYPE ${typeSql(facts)} USING ${name}::${factText(facts["type"])}`));
    if (redefaulted && facts["default"]) sql.push(action(`SET DEFAULT ${factText(facts["default"])}`));
    if (changed.has("not null") && facts["not null"]) sql.push(action("SET NOT NULL"));
    sql.push(...identityChanges(from, to).map(action));
    if (changed.has("not null") && !facts["not null"]) sql.push(action("DROP NOT NULL"));
    if (changed.has("storage")) sql.push(action(`SET STORAGE ${factText(facts["storage"]) || "DEFAULT"}`));
    if (changed.has("storage") && !facts["storage"] && major < 16)
      return { never: "this version of Postgres has no statement that sets a column's storage to its default" };
    return sql;
  },
};

/** Primary keys, unique, check and exclusion constraints, and foreign keys. */
export const constraint: Rule = {
  create: ({ on, name, facts }) => [
    alterTable(on, `ADD CONSTRAINT ${name} ${factText(facts["definition"])}${facts["not valid"] ? " NOT VALID" : ""}`),
  ],
  remove: ({ on, name }) => [alterTable(on, `DROP CONSTRAINT ${name}`)],
  alter: (from, to) =>
    changedFacts(from, to).join() === "not valid" && !to.facts["not valid"]
      ? [alterTable(to.on, `VALIDATE CONSTRAINT ${to.name}`)]
      : undefined,
};

/** Returns the statements that set and reset options such as `fillfactor=70`. */
export function optionChanges(kind: string, from: DriftObject, to: DriftObject): string[] {
  const [before, after] = [factList(from.facts["options"]), factList(to.facts["options"])];
  const nameOf = (option: string) => option.split("=")[0]!;
  const set = after.filter((option) => !before.includes(option));
  const reset = before.map(nameOf).filter((name) => !after.map(nameOf).includes(name));
  return [
    ...(set.length > 0 ? [`ALTER ${kind} ${to.name} SET (${set.join(", ")})`] : []),
    ...(reset.length > 0 ? [`ALTER ${kind} ${to.name} RESET (${reset.join(", ")})`] : []),
  ];
}

function rowSecurity({ name, facts }: DriftObject): string[] {
  return [
    alterTable(name, `${facts["row security"] ? "ENABLE" : "DISABLE"} ROW LEVEL SECURITY`),
    alterTable(name, `${facts["forced row security"] ? "FORCE" : "NO FORCE"} ROW LEVEL SECURITY`),
  ];
}

function identityChanges({ facts: before }: DriftObject, { facts: after }: DriftObject): string[] {
  if (!after["identity"]) return [];
  const options = factList(after["identity options"]);
  if (!before["identity"]) return [`ADD GENERATED ${factText(after["identity"])} AS IDENTITY (${options.join(" ")})`];
  const changed = options.filter((option) => !factList(before["identity options"]).includes(option));
  return [
    ...(before["identity"] === after["identity"] ? [] : [`SET GENERATED ${factText(after["identity"])}`]),
    ...(changed.length > 0 ? [changed.map((option) => `SET ${option}`).join(" ")] : []),
  ];
}

function position({ address }: DriftObject): number {
  return Number(address.split(":")[2]);
}

function typeSql(facts: Readonly<Record<string, Fact>>): string {
  return `${factText(facts["type"])}${facts["collation"] ? ` COLLATE ${factText(facts["collation"])}` : ""}`;
}

function columnSql({ name, facts }: DriftObject): string {
  const { generated, identity } = facts;
  return [
    `${name} ${typeSql(facts)}`,
    ...(generated ? [`GENERATED ALWAYS AS (${factText(generated)}) ${factText(facts["kept"])}`] : []),
    ...(identity
      ? [`GENERATED ${factText(identity)} AS IDENTITY (${factList(facts["identity options"]).join(" ")})`]
      : []),
    ...(facts["default"] ? [`DEFAULT ${factText(facts["default"])}`] : []),
    ...(facts["not null"] ? ["NOT NULL"] : []),
  ].join(" ");
}
