import { literal } from "../../../migrations/sql/identifier";
import { type DriftObject, factList, factText } from "./object";
import { changedFacts, type Never, type Rule } from "./rule";
import { column, constraint, optionChanges, table } from "./table-rules";

const definition = ({ facts }: DriftObject) => factText(facts["definition"]).replace(/;\s*$/, "");

/** Returns a rule for objects that are made by their definition, and changed by dropping and making them again. */
function defined(drop: (object: DriftObject) => string): Rule {
  return { create: (object) => [definition(object)], remove: (object) => [drop(object)] };
}

const onTable = (kind: string) => defined(({ on, name }) => `DROP ${kind} ${name} ON ${on}`);

const routine = (kind: string): Rule => ({
  ...defined(({ name }) => `DROP ${kind} ${name}`),
  droppedLast: true,
  alter: (from, to) => (changedFacts(from, to).join() === "definition" ? [definition(to)] : undefined),
});

const view = (kind: string): Rule => ({
  create: (object) => [
    `CREATE ${kind} ${object.name}${object.facts["options"] ? ` WITH (${factText(object.facts["options"])})` : ""} AS\n${definition(object)}`,
  ],
  remove: ({ name }) => [`DROP ${kind} ${name}`],
  alter: (from, to) => (changedFacts(from, to).join() === "options" ? optionChanges(kind, from, to) : undefined),
});

/** A kind of type whose definition Postgres can't change where it is used. */
const fixedType = (create: (object: DriftObject) => string, why: string): Rule => ({
  droppedLast: true,
  create: (object) => [create(object)],
  remove: ({ name }) => [`DROP TYPE ${name}`],
  alter: () => ({ never: why }),
});

const enumType: Rule = {
  ...fixedType(({ name, facts }) => `CREATE TYPE ${name} AS ENUM (${factText(facts["values"])})`, ""),
  alter(from, { name, facts }) {
    const [before, after] = [factList(from.facts["values"]), factList(facts["values"])];
    const [gone, come] = [
      before.filter((each) => !after.includes(each)),
      after.filter((each) => !before.includes(each)),
    ];
    if (before.length === after.length && gone.length === 1 && before.indexOf(gone[0]!) === after.indexOf(come[0]!))
      return [`ALTER TYPE ${name} RENAME VALUE ${gone[0]} TO ${come[0]}`];
    if (gone.length > 0 || before.join() !== after.filter((each) => before.includes(each)).join())
      return { never: "Postgres can't remove a value of an enum, or put its values into another order" };
    return come.map((value) => {
      const at = after.indexOf(value);
      const place = at > 0 ? `AFTER ${after[at - 1]}` : before.length > 0 ? `BEFORE ${before[0]}` : "";
      return `ALTER TYPE ${name} ADD VALUE ${value} ${place}`.trimEnd();
    });
  },
};

const compositeType: Rule = {
  ...fixedType(({ name, facts }) => `CREATE TYPE ${name} AS (${factText(facts["attributes"])})`, ""),
  alter(from, { name, facts }) {
    const read = (object: Pick<DriftObject, "facts">) =>
      new Map(
        factList(object.facts["attributes"]).map(
          (each) => /^("(?:[^"]|"")+"|\S+) (.*)$/.exec(each)!.slice(1) as [string, string],
        ),
      );
    const [before, after] = [read(from), read({ facts })];
    const actions = [
      ...[...before].filter(([each]) => !after.has(each)).map(([each]) => `DROP ATTRIBUTE ${each}`),
      ...[...after].flatMap(([each, type]) =>
        !before.has(each)
          ? [`ADD ATTRIBUTE ${each} ${type}`]
          : before.get(each) !== type
            ? [`ALTER ATTRIBUTE ${each} TYPE ${type}`]
            : [],
      ),
    ];
    return actions.length > 0
      ? [`ALTER TYPE ${name} ${actions.join(", ")}`]
      : { never: "Postgres can't put the attributes of a type into another order" };
  },
};

const domain: Rule = {
  droppedLast: true,
  create: ({ name, facts }) => [
    `CREATE DOMAIN ${name} AS ${factText(facts["type"])}${facts["default"] ? ` DEFAULT ${factText(facts["default"])}` : ""}${facts["not null"] ? " NOT NULL" : ""}`,
  ],
  remove: ({ name }) => [`DROP DOMAIN ${name}`],
  alter(from, to) {
    const { name, facts } = to;
    const changed = changedFacts(from, to);
    if (changed.includes("type")) return { never: "Postgres can't change the type on which a domain is based" };
    return [
      ...(changed.includes("default")
        ? [`ALTER DOMAIN ${name} ${facts["default"] ? `SET DEFAULT ${factText(facts["default"])}` : "DROP DEFAULT"}`]
        : []),
      ...(changed.includes("not null") ? [`ALTER DOMAIN ${name} ${facts["not null"] ? "SET" : "DROP"} NOT NULL`] : []),
    ];
  },
};

const sequenceSql = ({ facts }: DriftObject) =>
  `AS ${factText(facts["type"])} INCREMENT BY ${factText(facts["increment"])} MINVALUE ${factText(facts["minimum"])} MAXVALUE ${factText(facts["maximum"])} ` +
  `START WITH ${factText(facts["start"])} CACHE ${factText(facts["cache"])} ${facts["cycle"] ? "CYCLE" : "NO CYCLE"}`;

const trigger: Rule = {
  create: (object) => [definition(object), ...(object.facts["enabled"] === "ENABLE" ? [] : [enabled(object)])],
  remove: ({ on, name }) => [`DROP TRIGGER ${name} ON ${on}`],
  alter: (from, to) => (changedFacts(from, to).join() === "enabled" ? [enabled(to)] : undefined),
};

function enabled({ on, name, facts }: DriftObject): string {
  return `ALTER TABLE ${on} ${factText(facts["enabled"])} TRIGGER ${name}`;
}

const policy: Rule = {
  create: ({ on, name, facts }) => [
    `CREATE POLICY ${name} ON ${on}${facts["restrictive"] ? " AS RESTRICTIVE" : ""} FOR ${factText(facts["for"])} TO ${factText(facts["to"])}` +
      `${facts["using"] ? ` USING (${factText(facts["using"])})` : ""}${facts["check"] ? ` WITH CHECK (${factText(facts["check"])})` : ""}`,
  ],
  remove: ({ on, name }) => [`DROP POLICY ${name} ON ${on}`],
};

const index: Rule = {
  create: (object): readonly string[] | Never =>
    object.facts["invalid"]
      ? { never: "no statement makes an invalid index; drop it or build it again" }
      : // The catalog writes ON ONLY for an index of a partitioned table, with which its partitions would get none.
        [definition(object).replace(/ ON ONLY /, " ON ")],
  remove: ({ name }) => [`DROP INDEX ${name}`],
};

const OPTION = " WITH GRANT OPTION";

/** Rights of one role on one object. The rights with the grant option are granted by a statement of their own. */
const grant: Rule = {
  create: (object) => grantSql(object, factList(object.facts["privileges"])),
  remove: (object) => [revokeSql(object, factList(object.facts["privileges"]))],
  alter(from, to) {
    const [before, after] = [factList(from.facts["privileges"]), factList(to.facts["privileges"])];
    const gone = before.filter((each) => !after.includes(each));
    return [
      ...(gone.length > 0 ? [revokeSql(to, gone)] : []),
      ...grantSql(
        to,
        after.filter((each) => !before.includes(each)),
      ),
    ];
  },
};

function grantSql(object: DriftObject, privileges: readonly string[]): string[] {
  return [privileges.filter((each) => !each.endsWith(OPTION)), privileges.filter((each) => each.endsWith(OPTION))]
    .map((some, option) => `GRANT ${rights(object, some)} TO ${object.name}${option ? OPTION : ""}`)
    .filter((_, option) => privileges.some((each) => each.endsWith(OPTION) === (option === 1)));
}

function revokeSql(object: DriftObject, privileges: readonly string[]): string {
  return `REVOKE ${rights(object, privileges)} FROM ${object.name}`;
}

function rights({ on, facts }: DriftObject, privileges: readonly string[]): string {
  const column = facts["column"] ? ` (${factText(facts["column"])})` : "";
  const words = privileges.map((each) => `${each.replace(OPTION, "")}${column}`);
  return `${words.join(", ")} ON ${facts["column"] ? `TABLE ${factText(facts["table"])}` : on}`;
}

/** The rule of each kind of object, in the order in which objects are made. They are dropped in the opposite order. */
export const RULES: Readonly<Record<string, Rule>> = {
  schema: {
    droppedLast: true,
    create: ({ name }) => [`CREATE SCHEMA ${name}`],
    remove: ({ name }) => [`DROP SCHEMA ${name}`],
  },
  extension: {
    droppedLast: true,
    loses: "everything that the extension made",
    create: ({ name, facts }) => [`CREATE EXTENSION ${name} SCHEMA ${factText(facts["schema"])}`],
    remove: ({ name }) => [`DROP EXTENSION ${name}`],
    alter: (_, { name, facts }) => [`ALTER EXTENSION ${name} SET SCHEMA ${factText(facts["schema"])}`],
  },
  enum: enumType,
  "range type": fixedType(
    ({ name, facts }) => `CREATE TYPE ${name} AS RANGE (SUBTYPE = ${factText(facts["subtype"])})`,
    "Postgres can't change a range type",
  ),
  "composite type": compositeType,
  domain,
  "domain constraint": {
    create: (object) => [`ALTER DOMAIN ${object.on} ADD CONSTRAINT ${object.name} ${definition(object)}`],
    remove: ({ on, name }) => [`ALTER DOMAIN ${on} DROP CONSTRAINT ${name}`],
  },
  sequence: {
    droppedLast: true,
    loses: "the number that it has reached",
    create: (object) => [`CREATE SEQUENCE ${object.name} ${sequenceSql(object)}`],
    remove: ({ name }) => [`DROP SEQUENCE ${name}`],
    alter: (_, to) => [`ALTER SEQUENCE ${to.name} ${sequenceSql(to)}`],
  },
  function: routine("FUNCTION"),
  procedure: routine("PROCEDURE"),
  aggregate: {
    droppedLast: true,
    create: (object) => [`CREATE AGGREGATE ${object.name} (${definition(object)})`],
    remove: ({ name }) => [`DROP AGGREGATE ${name}`],
  },
  table,
  "foreign table": {
    ...table,
    create: () => ({ never: "foreign tables need a server and a user's login, which are not compared" }),
    remove: ({ name }) => [`DROP FOREIGN TABLE ${name}`],
  },
  column,
  "owner of sequence": {
    create: ({ name, facts }) => [`ALTER SEQUENCE ${name} OWNED BY ${factText(facts["column"])}`],
    remove: ({ name }) => [`ALTER SEQUENCE ${name} OWNED BY NONE`],
  },
  constraint,
  view: view("VIEW"),
  "materialized view": view("MATERIALIZED VIEW"),
  index,
  statistics: defined(({ name }) => `DROP STATISTICS ${name}`),
  "replica identity": {
    create: ({ name, facts }) => [`ALTER TABLE ${name} REPLICA IDENTITY ${factText(facts["of"])}`],
    remove: ({ name }) => [`ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`],
    alter: (_, { name, facts }) => [`ALTER TABLE ${name} REPLICA IDENTITY ${factText(facts["of"])}`],
  },
  "foreign key": constraint,
  rule: onTable("RULE"),
  trigger,
  policy,
  grant,
  comment: {
    create: ({ on, facts }) => [`COMMENT ON ${on} IS ${literal(factText(facts["text"]))}`],
    remove: ({ on }) => [`COMMENT ON ${on} IS NULL`],
    alter: (_, { on, facts }) => [`COMMENT ON ${on} IS ${literal(factText(facts["text"]))}`],
  },
};
