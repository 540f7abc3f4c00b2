import { createHash } from "node:crypto";
import type { Place } from "../../prisma/datamodel";
import type { Comparison, Difference, Uncompared } from "../../prisma/difference";
import type { Finding, Severity } from "../finding";
import type { RuleText } from "./rule";

const classes = ["schema"] as const;

/** The kinds of differences between the Prisma schema and what the migrations make. */
export const schemaRules = {
  "not-in-history": {
    classes,
    bad: "-- Add a field to schema.prisma, and no migration.",
    happens: "Prisma's client names a column, table or value that the database doesn't have, and its queries fail.",
    good: "-- npx prisma migrate dev --create-only --name add_the_field",
  },
  "not-in-schema": {
    classes,
    bad: "-- Remove a field from schema.prisma, and leave its column.",
    happens:
      "The next `prisma migrate dev` drops it, in a migration about something else. A column that must be set makes every INSERT of Prisma's client fail.",
    good: "-- npx prisma migrate dev --create-only --name drop_the_field",
  },
  "schema-differs": {
    classes,
    bad: "-- Change the type, the default or the relation of a field in schema.prisma, and no migration.",
    happens: "The app relies on what the database doesn't do: another type, no default, another action on delete.",
    good: "-- npx prisma migrate dev --create-only --name change_the_field",
  },
  "named-differently": {
    classes,
    bad: "-- Rename a column that an index covers, and leave the index's name.",
    happens:
      "Nothing fails. The next `prisma migrate dev` renames the index or foreign key, in a migration about something else.",
    good: '-- Name it in the schema: map: "the_name_in_the_database"',
  },
  "not-compared": {
    classes,
    bad: "-- Make a partial index, or change a table by SQL that is made at run time.",
    happens: "Prisma's schema has no word for it, or the migrations' text doesn't show it: it is listed, not compared.",
    good: "-- Compare it by hand.",
  },
} satisfies Record<string, RuleText>;

const rules = {
  "not-in-history": "not-in-history",
  "not-in-schema": "not-in-schema",
  differs: "schema-differs",
  "named-differently": "named-differently",
} as const satisfies Record<Difference["kind"], keyof typeof schemaRules>;

/** What the command that a finding names needs to know. */
export interface SchemaSource {
  /** The path of the schema: a file or a folder. */
  readonly path: string;
  /** Prisma's commands find the schema by themselves. */
  readonly found: boolean;
}

/**
 * Makes the findings about differences between a Prisma schema and a history.
 * @param before the comparison before the branch; a difference that it has too is a note. Default: none is known.
 */
export function judgeSchema(
  { differences, uncompared }: Comparison,
  source: SchemaSource,
  before?: Comparison,
): Finding[] {
  const known = new Set(before?.differences.map(sameness));
  return [
    ...differences.map((difference) => differing(difference, source, known.has(sameness(difference)))),
    ...notCompared(uncompared, source),
  ];
}

/** A text that is equal for the same difference, wherever it stands. */
function sameness({ place: _, ...difference }: Difference): string {
  return JSON.stringify(difference);
}

/** Makes the finding about a schema that can't be read. */
export function unreadSchema(why: string, { path }: SchemaSource): Finding {
  return {
    ...placed(undefined, path),
    ...identified("not-compared", "", why),
    severity: "warning",
    what: `The Prisma schema was not compared with the migrations: ${why}.`,
    who: "Nobody now; a migration that was forgotten would not be found.",
    howLong: "Until the schema can be read",
  };
}

function differing(difference: Difference, source: SchemaSource, isOld: boolean): Finding {
  const { kind, object, whole, schema, history, place } = difference;
  const target = targetOf(difference);
  const of = ownName.has(object) ? ` of \`${whole}\`` : "";
  const subject = `${object.charAt(0).toUpperCase()}${object.slice(1)} \`${target}\`${of}`;
  const what = `${subject}: the schema says ${schema}; the migrations make ${history}.`;
  return {
    ...placed(place, source.path),
    ...identified(rules[kind], target, what),
    severity: isOld ? "info" : severityOf(difference),
    what: isOld ? `${what} It was so before this branch.` : what,
    ...consequences[kind](difference),
    safe: { migrations: [], note: nextStep(difference, source) },
  };
}

/** The objects whose name alone says which one is meant. */
const ownName: ReadonlySet<Difference["object"]> = new Set(["index", "foreign key"]);

function targetOf({ object, whole, part }: Difference): string {
  if (part === undefined) return whole;
  return ownName.has(object) ? part : `${whole}.${part}`;
}

function severityOf({ kind, object, mustBeSet }: Difference): Severity {
  if (kind === "named-differently" || (kind === "not-in-schema" && object === "enum")) return "info";
  if (kind === "not-in-schema") return mustBeSet ? "error" : "warning";
  const queried = object !== "index" && object !== "foreign key";
  return kind === "not-in-history" && queried ? "error" : "warning";
}

const consequences: Record<Difference["kind"], (of: Difference) => Pick<Finding, "who" | "howLong">> = {
  "not-in-history": ({ object }) => ({
    who: {
      table: "Every query on the model fails.",
      column: "Every query that reads or writes the field fails.",
      index: "Queries that rely on it are slow, or write what it would refuse.",
      "foreign key": "Rows can reference what doesn't exist, and nothing is done on delete.",
      enum: "Every query on a field of this type fails.",
      "enum value": "Writing the value fails.",
    }[object],
    howLong: "Until a migration makes it",
  }),
  "not-in-schema": ({ mustBeSet }) => ({
    who: mustBeSet
      ? "Every INSERT of Prisma's client fails: the column must be set, and the client doesn't know it."
      : "Nobody now; the next `prisma migrate dev` drops it in a migration about something else.",
    howLong: "Until a migration drops it, or the schema has it",
  }),
  differs: () => ({
    who: "The app, where it relies on what the schema says.",
    howLong: "Until a migration or the schema changes it",
  }),
  "named-differently": () => ({
    who: "Nobody; the next `prisma migrate dev` renames it.",
    howLong: "Until one of the names is changed",
  }),
};

function nextStep(difference: Difference, source: SchemaSource): string {
  const { kind, object, history } = difference;
  const verb = { "not-in-history": "add", "not-in-schema": "drop", differs: "change", "named-differently": "rename" }[
    kind
  ];
  const name = `${verb}_${targetOf(difference)}`
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_")
    .replace(/\W+/g, "_")
    .replace(/_+/g, "_")
    .toLowerCase();
  const schema = source.found ? "" : ` --schema ${source.path}`;
  const command = `\`npx prisma migrate dev --create-only --name ${name.slice(0, 60)}${schema}\``;
  if (kind === "named-differently") return `Keep the name by \`map: "${history}"\` in the schema, or run: ${command}`;
  if (kind === "not-in-schema") return `Add the ${object} to the schema, or run: ${command}`;
  return `Run: ${command}`;
}

function notCompared(uncompared: readonly Uncompared[], source: SchemaSource): Finding[] {
  if (uncompared.length === 0) return [];
  const reasons = [...new Set(uncompared.map(({ why }) => why))];
  const listed = reasons
    .map((reason) => {
      const parts = uncompared.filter(({ why }) => why === reason).map(({ what }) => what);
      return `${parts.join(", ")} (${reason})`;
    })
    .join("; ");
  const what = `Not compared with the Prisma schema: ${listed}.`;
  return [
    {
      ...placed(undefined, source.path),
      ...identified("not-compared", "", what),
      severity: "info",
      what,
      who: "Nobody; whether they agree is to be read by hand.",
      howLong: "Not known",
    },
  ];
}

function placed(place: Place | undefined, path: string): Pick<Finding, "migration" | "file" | "line"> {
  const file = place?.path ?? path;
  return { migration: file, file, line: place?.line ?? 1 };
}

/** The checksum is that of the finding, so that an acknowledgement holds until what it accepts changes. */
function identified(
  rule: keyof typeof schemaRules,
  target: string,
  what: string,
): Pick<Finding, "id" | "rule" | "classes" | "checksum"> {
  const checksum = createHash("sha256").update(what).digest("hex");
  return { id: target === "" ? rule : `${rule} ${target}`, rule, classes, checksum };
}
