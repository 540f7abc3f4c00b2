import { parseArgs } from "node:util";
import { UsageFailure } from "../../migrator/failures/usage";
import { CLAIM_FOLDER } from "../pod-folder";
import type { StorePlace } from "../stores/place";
import type { DumpOwner } from "./dumps";

/** The options of the program that removes old dumps. The credentials of the store come from the environment. */
export interface PruneOptions {
  readonly store: StorePlace;
  readonly owner: DumpOwner;
  readonly keep: { readonly last: number | undefined; readonly days: number | undefined } | undefined;
  /** The names of dumps that stay in any case, and why. */
  readonly named: ReadonlyMap<string, string>;
  readonly maxAgeMs: number;
  readonly plan: boolean;
}

const one = { type: "string" as const };

const OPTIONS = {
  ...{ to: one, claim: one, "claim-folder": one, endpoint: one, region: one, project: one, stack: one, app: one },
  ...{ "keep-last": one, "keep-days": one, "max-age-seconds": one, named: one, plan: { type: "boolean" as const } },
};

/**
 * Reads the options. `ops prune` writes them, so a mistake in them is one of a person who runs the program by hand.
 * @throws UsageFailure with every mistake at once
 */
export function readPruneOptions(args: readonly string[]): PruneOptions {
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
  const { to, claim, endpoint, region } = values;
  if ((to === undefined) === (claim === undefined)) mistakes.push("Give either --to or --claim.");
  const [last, days] = [whole("keep-last"), whole("keep-days")];
  const options: PruneOptions = {
    store: {
      place: claim === undefined ? { to: to ?? "" } : { claim, folder: values["claim-folder"] ?? CLAIM_FOLDER },
      ...{ endpoint, region },
    },
    owner: { project: required("project"), stack: required("stack"), app: required("app") },
    keep: last === undefined && days === undefined ? undefined : { last, days },
    named: namedIn(values.named ?? "{}", mistakes),
    maxAgeMs: (whole("max-age-seconds") ?? 0) * 1000,
    plan: values.plan === true,
  };
  if (mistakes.length > 0) throw new UsageFailure(mistakes);
  return options;
}

function namedIn(text: string, mistakes: string[]): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
  } catch {
    mistakes.push("--named must be a JSON object: the reason by the name of each dump that stays.");
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
