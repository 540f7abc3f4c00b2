import { parseArgs } from "node:util";
import { UsageFailure } from "../../migrator/failures/usage";
import { LOCAL_NEON_VARIABLE, NEON_API, NEON_KEY_VARIABLE } from "../../settings/neon";
import { CLAIM_FOLDER } from "../pod-folder";
import type { StorePlace } from "../stores/place";
import type { BackupOwner } from "./prune";

/** Where old backups are removed: in the store of dumps, or in a project of Neon. */
type PrunePlace =
  | { readonly kind: "dumps"; readonly store: StorePlace }
  | { readonly kind: "branches"; readonly project: string; readonly endpoint: string; readonly key: string };

/** The options of the program that removes old dumps or branches. The credentials come from the environment. */
export interface PruneOptions {
  readonly place: PrunePlace;
  readonly owner: BackupOwner;
  readonly keep: { readonly last: number | undefined; readonly days: number | undefined } | undefined;
  /** The names of backups that stay in any case, and why. */
  readonly named: ReadonlyMap<string, string>;
  readonly maxAgeMs: number;
  readonly plan: boolean;
}

const one = { type: "string" as const };

const OPTIONS = {
  ...{ to: one, claim: one, "claim-folder": one, endpoint: one, region: one, project: one, stack: one, app: one },
  ...{
    "keep-last": one,
    "keep-days": one,
    "max-age-seconds": one,
    named: one,
    "neon-project": one,
    plan: { type: "boolean" as const },
  },
};

/**
 * Reads the options. `ops prune` writes them, so a mistake in them is one of a person who runs the program by hand.
 * @throws UsageFailure with every mistake at once
 */
export function readPruneOptions(args: readonly string[], environment: NodeJS.ProcessEnv): PruneOptions {
  const mistakes: string[] = [];
  const { values } = parsed(args);
  const required = (name: "project" | "stack" | "app") => {
    if (values[name] === undefined) mistakes.push(`--${name} is missing.`);
    return values[name] ?? "";
  };
  const whole = (name: "keep-last" | "keep-days" | "max-age-seconds") => {
    const text = values[name];
    if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text))
      mistakes.push(`--${name} must be a whole number from 1 on.`);
    return text === undefined ? undefined : Number(text);
  };
  const [last, days] = [whole("keep-last"), whole("keep-days")];
  const options: PruneOptions = {
    place: placeOf(values, environment, mistakes),
    owner: { project: required("project"), stack: required("stack"), app: required("app") },
    keep: last === undefined && days === undefined ? undefined : { last, days },
    named: namedIn(values.named ?? "{}", mistakes),
    maxAgeMs: (whole("max-age-seconds") ?? 0) * 1000,
    plan: values.plan === true,
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return options;
}

function placeOf(
  values: Readonly<Partial<Record<"to" | "claim" | "claim-folder" | "endpoint" | "region" | "neon-project", string>>>,
  environment: NodeJS.ProcessEnv,
  mistakes: string[],
): PrunePlace {
  const { to, claim, endpoint, region, "neon-project": project } = values;
  if ([to, claim, project].filter((each) => each !== undefined).length !== 1)
    mistakes.push("Give one of --to, --claim and --neon-project.");
  if (project === undefined) {
    const folder = values["claim-folder"] ?? CLAIM_FOLDER;
    const place = claim === undefined ? { to: to ?? "" } : { claim, folder };
    return { kind: "dumps", store: { place, endpoint, region } };
  }
  // A Secret that was made of a file ends in a line break, which a header must not have.
  const key = environment[NEON_KEY_VARIABLE]?.trim() ?? "";
  if (key === "") mistakes.push(`There is no API key: set ${NEON_KEY_VARIABLE}.`);
  return { kind: "branches", project, endpoint: environment[LOCAL_NEON_VARIABLE] ?? endpoint ?? NEON_API, key };
}

function namedIn(text: string, mistakes: string[]): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  } catch {
    mistakes.push("--named must be a JSON object: the reason by the name of each backup that stays.");
    return new Map();
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true });
  } catch (error) {
    throw new UsageFailure([(error as Error).message]);
  }
}
