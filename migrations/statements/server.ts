import type { AlterSubscriptionStmt, CreateSubscriptionStmt, Node } from "libpg-query";
import type { Effects } from "../schema/effect";
import { there } from "../schema/expectation";
import { madeKey, type Schema } from "../schema/schema";
import { isOff, isOn, optionOf } from "../sql/constant";
import { identifier, nameOf } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { defines, outside, type Replay, skipped } from "./replay-rules";
import { lockCascaded } from "./tables";
import { type Before, perhapsBefore, type Undo } from "./undo";

type ServerKinds =
  | "CreateSchemaStmt"
  | "CreateExtensionStmt"
  | "AlterExtensionStmt"
  | "AlterExtensionContentsStmt"
  | "AlterObjectDependsStmt"
  | "CreatedbStmt"
  | "AlterDatabaseStmt"
  | "AlterDatabaseSetStmt"
  | "AlterDatabaseRefreshCollStmt"
  | "DropdbStmt"
  | "AlterSystemStmt"
  | "CreateTableSpaceStmt"
  | "AlterTableSpaceOptionsStmt"
  | "AlterTableMoveAllStmt"
  | "DropTableSpaceStmt"
  | "CreateAmStmt"
  | "CreatePublicationStmt"
  | "AlterPublicationStmt"
  | "CreateSubscriptionStmt"
  | "AlterSubscriptionStmt"
  | "DropSubscriptionStmt"
  | "CreateFdwStmt"
  | "AlterFdwStmt"
  | "CreateForeignServerStmt"
  | "AlterForeignServerStmt"
  | "ImportForeignSchemaStmt"
  | "CreateUserMappingStmt"
  | "AlterUserMappingStmt"
  | "DropUserMappingStmt";

/** Statements about schemas, extensions and databases, and those that affect something outside of the database. */
export const server: Family<ServerKinds> = {
  CreateSchemaStmt: {
    opinion: "harmless",
    apply(statement, schema, migration) {
      const { schemaname = "" } = statement;
      const key = madeKey("schema", schemaname);
      if (!schema.made.has(key)) schema.made.set(key, migration);
      schema.definitions?.set({ kind: "schema", key: schemaname }, { CreateSchemaStmt: statement });
    },
    undo: ({ schemaname = "", schemaElts = [], if_not_exists }, before) =>
      schemaElts.length > 0
        ? [{ of: { kind: "schema", key: schemaname }, never: "it makes objects in the same statement" }]
        : dropPlain("schema", schemaname, if_not_exists, before),
    expect: ({ schemaname }) => (schemaname && schemaname !== "public" ? [there(`schema ${schemaname}`)] : []),
    replay: defines,
  },
  CreateExtensionStmt: {
    opinion: "harmless",
    apply(statement, schema) {
      const { extname: key = "" } = statement;
      schema.definitions?.set({ kind: "extension", key }, { CreateExtensionStmt: statement });
    },
    undo: ({ extname = "", if_not_exists }, before) => dropPlain("extension", extname, if_not_exists, before),
    expect: ({ extname }) => (extname === "plpgsql" ? [] : [there(`extension ${extname}`)]),
    replay: replayExtension,
  },
  AlterExtensionStmt: {
    opinion: { unknown: "the extension's own script decides what it does" },
    replay: replayExtension,
  },
  AlterExtensionContentsStmt: {
    opinion: { unknown: "what belongs to an extension is dropped with it" },
    takesBack: () => ({ by: "ALTER EXTENSION" }),
  },
  AlterObjectDependsStmt: { opinion: "harmless" },
  CreatedbStmt: {
    opinion: "harmless",
    kind: () => "CREATE DATABASE",
    refusedInTransaction: () => "CREATE DATABASE",
    remains: ({ dbname = "" }) => ({ kind: "object", object: "database", name: dbname, present: true }),
  },
  AlterDatabaseStmt: {
    opinion: { unknown: "it decides who may connect to the database, or where it lies" },
    refusedInTransaction: ({ options }) =>
      optionOf(options, "tablespace") ? "ALTER DATABASE SET TABLESPACE" : undefined,
  },
  AlterDatabaseSetStmt: {
    opinion: { unknown: "the setting holds for each later session in the database, the app's included" },
  },
  AlterDatabaseRefreshCollStmt: { opinion: "harmless" },
  DropdbStmt: {
    opinion: "judged",
    kind: () => "DROP DATABASE",
    refusedInTransaction: () => "DROP DATABASE",
    remains: ({ dbname = "" }) => ({ kind: "object", object: "database", name: dbname, present: false }),
  },
  AlterSystemStmt: {
    opinion: { unknown: "the setting holds for the whole server" },
    kind: () => "ALTER SYSTEM",
    refusedInTransaction: () => "ALTER SYSTEM",
  },
  CreateTableSpaceStmt: {
    opinion: "harmless",
    kind: () => "CREATE TABLESPACE",
    refusedInTransaction: () => "CREATE TABLESPACE",
    remains: ({ tablespacename = "" }) => ({
      kind: "object",
      object: "tablespace",
      name: tablespacename,
      present: true,
    }),
  },
  AlterTableSpaceOptionsStmt: {
    opinion: { unknown: "it changes how queries on every table of the tablespace are planned" },
  },
  AlterTableMoveAllStmt: {
    opinion: { unknown: "it moves every table of a tablespace, each under an ACCESS EXCLUSIVE lock" },
  },
  DropTableSpaceStmt: {
    opinion: "harmless",
    kind: () => "DROP TABLESPACE",
    refusedInTransaction: () => "DROP TABLESPACE",
    remains: ({ tablespacename = "" }) => ({
      kind: "object",
      object: "tablespace",
      name: tablespacename,
      present: false,
    }),
  },
  CreateAmStmt: { opinion: "harmless" },
  CreatePublicationStmt: {
    opinion: "judged",
    lock: lockPublished,
    replay: skipped,
    undo: ({ pubname = "" }) => [
      {
        of: { kind: "other", key: `publication ${pubname}` },
        sql: [`DROP PUBLICATION ${identifier(pubname)}`],
        drops: true,
      },
    ],
  },
  AlterPublicationStmt: { opinion: "judged", lock: lockPublished, replay: skipped },
  CreateSubscriptionStmt: {
    opinion: { unknown: "another server decides which rows it writes" },
    refusedInTransaction: (statement) =>
      makesSlot(statement) ? "CREATE SUBSCRIPTION with a replication slot" : undefined,
    remains: ({ subname = "" }) => ({ kind: "object", object: "subscription", name: subname, present: true }),
  },
  AlterSubscriptionStmt: {
    opinion: { unknown: "another server decides which rows it writes" },
    refusedInTransaction: refreshes,
  },
  DropSubscriptionStmt: {
    opinion: { unknown: "it ends the replication from another server" },
    refusedInTransaction: () => "DROP SUBSCRIPTION with a replication slot",
    remains: ({ subname = "" }) => ({ kind: "object", object: "subscription", name: subname, present: false }),
  },
  CreateFdwStmt: { opinion: "harmless" },
  AlterFdwStmt: { opinion: { unknown: "queries on foreign tables may go elsewhere" } },
  CreateForeignServerStmt: { opinion: "harmless" },
  AlterForeignServerStmt: { opinion: { unknown: "queries on its foreign tables go elsewhere" } },
  ImportForeignSchemaStmt: { opinion: { unknown: "what it makes is decided by another server" } },
  CreateUserMappingStmt: { opinion: "harmless" },
  AlterUserMappingStmt: { opinion: { unknown: "queries on foreign tables connect as somebody else" } },
  DropUserMappingStmt: { opinion: { unknown: "queries on foreign tables can no longer connect" } },
};

function dropPlain(
  kind: "schema" | "extension",
  name: string,
  ifNotExists: boolean | undefined,
  { schema }: Before,
): Undo[] {
  const of = { kind, key: name } as const;
  // Every database begins with the schema public and the extension plpgsql.
  if (ifNotExists && (schema.definitions?.has(of) || name === "public" || name === "plpgsql")) return [];
  const sql = [`DROP ${kind.toUpperCase()} ${identifier(name)}`];
  return [{ of, sql, drops: true, after: true, ...(ifNotExists && { note: perhapsBefore }) }];
}

/** Extensions that only define types, functions and operators, and start no process. */
const EXTENSIONS = new Set(
  (
    "bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore intarray isn lo ltree pg_buffercache " +
    "pg_stat_statements pg_trgm pgcrypto pgrowlocks pgstattuple pg_uuidv7 plpgsql postgis seg sslinfo tablefunc tcn tsm_system_rows " +
    "tsm_system_time unaccent uuid-ossp vector xml2"
  ).split(" "),
);

function replayExtension({ extname = "" }: { extname?: string }): Replay {
  return EXTENSIONS.has(extname) ? "run" : outside(`the extension ${extname} may do more than define things`);
}

function lockPublished({ pubobjects }: { pubobjects?: Node[] }, _schema: Schema, effects: Effects): void {
  for (const item of pubobjects ?? []) {
    const relation = "PublicationObjSpec" in item ? item.PublicationObjSpec.pubtable?.relation : undefined;
    if (relation) effects.touch(nameOf(relation), "SHARE UPDATE EXCLUSIVE");
  }
}

function makesSlot({ options }: CreateSubscriptionStmt): boolean {
  return optionOf(options, "create_slot") ? isOn(options, "create_slot") : !isOff(options, "connect");
}

function refreshes({ kind = "ALTER_SUBSCRIPTION_OPTIONS", options }: AlterSubscriptionStmt): string | undefined {
  if (kind.includes("_REFRESH")) return "ALTER SUBSCRIPTION REFRESH PUBLICATION";
  const sets = ["SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"].some((verb) => kind.endsWith(verb));
  return sets && !isOff(options, "refresh") ? "ALTER SUBSCRIPTION with refresh" : undefined;
}

/** The rules for DROP of schemas, extensions, and objects that connect to something outside of the database. */
export const serverDrops: Drops<
  | "OBJECT_SCHEMA"
  | "OBJECT_EXTENSION"
  | "OBJECT_ACCESS_METHOD"
  | "OBJECT_FDW"
  | "OBJECT_FOREIGN_SERVER"
  | "OBJECT_PUBLICATION"
> = {
  OBJECT_SCHEMA: {
    opinion: "judged",
    entry: "schema",
    lock({ name }, schema, effects, { behavior }) {
      if (behavior !== "DROP_CASCADE") return;
      for (const table of schema.tables.values())
        if ((table.name.schema ?? "public") === name) {
          effects.touch(table.name, "ACCESS EXCLUSIVE");
          lockCascaded(table.name, schema, effects);
        }
    },
    apply({ name }, schema) {
      for (const [key, table] of [...schema.tables]) if ((table.name.schema ?? "public") === name) schema.drop(key);
    },
  },
  OBJECT_EXTENSION: {
    opinion: "judged",
    entry: "extension",
    lock({ name }, _schema, effects, { behavior }) {
      if (behavior === "DROP_CASCADE") effects.cannotTell(`what depends on the extension ${name} isn't in the history`);
    },
  },
  OBJECT_ACCESS_METHOD: { opinion: "harmless" },
  OBJECT_FDW: { opinion: { unknown: "what it connects to can no longer be reached" } },
  OBJECT_FOREIGN_SERVER: { opinion: { unknown: "its tables can no longer be reached" } },
  OBJECT_PUBLICATION: { opinion: { unknown: "who is subscribed to it gets no more changes" } },
};
