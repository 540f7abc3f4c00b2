import { isDeepStrictEqual } from "node:util";
import type { DatabaseSettings, Settings } from "../../settings/schema";
import { type Json, keysOf } from "../../settings/stack-file";
import type { Move } from "../target";
import { isOnSameServer } from "./moved-url";

/** The place of a setting: the section, and the keys or indexes below it. */
export type SettingPath = readonly (string | number)[];

/** A setting that a switch changes, with the value to which the way back sets it again. Neither is a secret. */
export interface Change {
  readonly path: SettingPath;
  /** The new value; undefined: the setting is removed. */
  readonly value?: Json | undefined;
  /** The value before; undefined: it was not set. */
  readonly former?: Json | undefined;
}

/** What decides the settings of an app that is moved to a copy of its database. */
export interface ChangeArgs {
  /** The values of the stack's settings as they are written, by section. */
  readonly raw: Readonly<Record<string, Json>>;
  readonly settings: Pick<Settings, "database" | "workloads">;
  readonly move: Move;
  /** The names of the new Secrets, by the names of those that they stand for. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The image that belongs to the copy's schema; undefined: the settings name none, because the program builds it. */
  readonly image: string | undefined;
  /** The last migration to release; undefined: the folder has none after those of the copy. */
  readonly until: string | undefined;
  /** The setting `release.attempt` of the live release, with which no new backup is made; undefined: unknown. */
  readonly attempt: number | undefined;
}

/** Returns every setting that has to change, in the order of the schema. */
export function changesOf(args: ChangeArgs): Change[] {
  const { raw, image, until, attempt } = args;
  const wanted: [SettingPath, Json | undefined][] = [
    ...(image === undefined ? [] : ([[["app", "image"], image]] as [SettingPath, Json][])),
    ...databaseChanges(args),
    ...references(args),
    [["migrations", "until"], until],
    ...(attempt === undefined || attempt === 1 || raw["release"] === undefined
      ? []
      : ([[["release", "attempt"], attempt]] as [SettingPath, Json][])),
  ];
  return wanted
    .map(([path, value]): Change => ({ path, value, former: valueAt(raw, path) }))
    .filter(({ value, former }) => !isDeepStrictEqual(value, former));
}

function databaseChanges({
  raw,
  settings: { database },
  move,
  secrets,
}: ChangeArgs): [SettingPath, Json | undefined][] {
  const { copy } = move;
  const elsewhere = !isOnSameServer(move);
  const given = (...path: string[]) => valueAt(raw, ["database", ...path]) !== undefined;
  const roles: { prefix: string[]; own: Pick<DatabaseSettings, "host"> }[] = [
    { prefix: [], own: database },
    { prefix: ["migration"], own: database.migration },
  ];
  return [
    ...(copy.identifier === undefined
      ? []
      : ([[["database", "identifier"], copy.identifier]] as [SettingPath, Json][])),
    ...roles.flatMap(({ prefix, own }): [SettingPath, Json | undefined][] => {
      const secret = valueAt(raw, ["database", ...prefix, "secret", "name"]);
      const renamed = typeof secret === "string" ? secrets.get(secret) : undefined;
      const path = (key: string) => ["database", ...prefix, key];
      const needsPort =
        elsewhere && (given(...prefix, "port") || (own.host !== undefined && copy.endpoint.port !== 5432));
      return [
        ...(renamed === undefined ? [] : ([[[...path("secret"), "name"], renamed]] as [SettingPath, Json][])),
        ...(elsewhere && given(...prefix, "host")
          ? ([[path("host"), copy.endpoint.host]] as [SettingPath, Json][])
          : []),
        ...(needsPort ? ([[path("port"), copy.endpoint.port]] as [SettingPath, Json][]) : []),
        ...(given(...prefix, "name") && copy.database !== undefined
          ? ([[path("name"), copy.database]] as [SettingPath, Json][])
          : []),
      ];
    }),
  ];
}

/** Returns the environment variables that refer to a Secret that is replaced. */
function references({ raw, settings, secrets }: ChangeArgs): [SettingPath, Json][] {
  const places: SettingPath[] = [
    ["app", "env"],
    ["migrations", "env"],
    ...settings.workloads.map((_, index) => ["workloads", index, "env"]),
  ];
  return places.flatMap((place) =>
    Object.entries(keysOf(valueAt(raw, place) ?? {})).flatMap(([name, value]): [SettingPath, Json][] => {
      const secret = keysOf(keysOf(value)["secret"] ?? {})["name"];
      const renamed = typeof secret === "string" ? secrets.get(secret) : undefined;
      return renamed === undefined ? [] : [[[...place, name, "secret", "name"], renamed]];
    }),
  );
}

/** Returns the value of a setting as it is written; undefined if it isn't. */
export function valueAt(
  value: Json | Readonly<Record<string, Json>> | undefined,
  [key, ...rest]: SettingPath,
): Json | undefined {
  if (key === undefined) return value as Json | undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return valueAt(new Map<string, Json>(Object.entries(value)).get(String(key)), rest);
}

/** Returns settings with some of them changed, as they would be written. */
export function withChanges(raw: Readonly<Record<string, Json>>, changes: readonly Change[]): Record<string, Json> {
  const copy = structuredClone(raw) as Record<string, Json>;
  for (const { path, value } of changes) set(copy, path, value);
  return copy;
}

/** Returns the changes that take these back. */
export function takenBack(changes: readonly Change[]): Change[] {
  return changes.map(({ path, value, former }) => ({ path, value: former, former: value }));
}

function set(at: Record<string, Json>, [key = "", ...rest]: SettingPath, value: Json | undefined): void {
  if (rest.length === 0) {
    if (value === undefined) delete at[key];
    else at[key] = value;
    return;
  }
  const next = at[key];
  if (typeof next === "object" && next !== null) set(next as Record<string, Json>, rest, value);
  else if (value !== undefined) {
    const made: Record<string, Json> = {};
    at[key] = made;
    set(made, rest, value);
  }
}

/** Returns the place of a setting as `pulumi config set --path` takes it. */
export function pathText(namespace: string, path: SettingPath): string {
  const [section, ...rest] = path;
  const steps = rest.map((step) =>
    typeof step === "number" ? `[${step}]` : /^[A-Za-z_][\w-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
  );
  return `${namespace}:${section}${steps.join("")}`;
}

/** Returns a value as `pulumi config set` takes it. */
export function valueText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
