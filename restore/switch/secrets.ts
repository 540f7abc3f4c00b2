import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import { databaseAccess } from "../../settings/database-access";
import type { DatabaseSettings } from "../../settings/schema";
import type { Move } from "../target";
import { type MovedSecret, movedSecret, type SecretData } from "./moved-secret";

/** The label of a Secret that a switch has made, whose value is the name of the copy. */
const COPY_LABEL = "release/restored-copy";

/** A Secret that leads to the copy. */
export interface PlannedSecret {
  /** The Secret that it stands for, which stays as it is. */
  readonly of: string;
  readonly name: string;
  readonly type: string;
  readonly moved: MovedSecret;
}

interface LiveSecret {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly type?: string;
  readonly data?: SecretData;
}

/** Returns the names of the new Secrets, by the names of those that they stand for. */
export function secretNames(database: DatabaseSettings, copy: string): Map<string, string> {
  const names = new Set(
    (["app", "migration"] as const).flatMap((role) => {
      const access = databaseAccess(database, role);
      if (access.form === "url") return [access.secret];
      if (access.form === "file") return [];
      return Object.values(access.parts).flatMap((value) => (typeof value === "object" ? [value.secret] : []));
    }),
  );
  const stem = copy.toLowerCase().replace(/[^a-z0-9.-]+/g, "-");
  return new Map([...names].map((name, index) => [name, index === 0 ? stem : `${stem}-migration`]));
}

/**
 * Reads the app's Secrets, and makes of each what leads to the copy. Their values go nowhere but into the new Secrets.
 * @throws CommandFailure if a Secret is missing, or can't be made to lead to the copy
 */
export async function planSecrets(
  kubectl: Kubectl,
  database: DatabaseSettings,
  copy: string,
  move: Move,
): Promise<PlannedSecret[]> {
  const planned: PlannedSecret[] = [];
  for (const [of, name] of secretNames(database, copy)) {
    const found = await readSecret(kubectl, of);
    if (!found) throw cantMove([`There is no Secret ${of}, which the settings name.`]);
    planned.push({ of, name, type: found.type ?? "Opaque", moved: movedSecret(of, found.data ?? {}, database, move) });
  }
  const problems = planned.flatMap(({ moved }) => moved.problems);
  if (problems.length > 0) throw cantMove(problems);
  return planned;
}

/**
 * Makes the Secrets, or writes them anew if an earlier run has made them.
 * @throws CommandFailure if somebody else has a Secret of that name
 */
export async function makeSecrets(
  kubectl: Kubectl,
  planned: readonly PlannedSecret[],
  { app, copy, component }: { app: string; copy: string; component: "switch" | "rehearsal" },
): Promise<void> {
  for (const { name, of, type, moved } of planned) {
    const there = await readSecret(kubectl, name);
    if (there && there.metadata.labels?.[COPY_LABEL] === undefined)
      throw cantMove([`Somebody else has made the Secret ${name}.`]);
    const metadata = {
      name,
      namespace: kubectl.cluster.namespace,
      labels: {
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/component": component,
        [COPY_LABEL]: label(copy),
      },
      annotations: { "release/copy-of-secret": of },
    };
    const object = JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, type, data: moved.data });
    await kubectl.run([there ? "replace" : "create", "--filename=-"], object);
  }
}

/** Deletes the Secrets of a copy. */
export async function removeSecrets(kubectl: Kubectl, names: readonly string[]): Promise<string[]> {
  const gone: string[] = [];
  for (const name of names) {
    const found = await readSecret(kubectl, name);
    if (found?.metadata.labels?.[COPY_LABEL] === undefined) continue;
    await kubectl.run(["delete", "secrets", name, "--ignore-not-found", "--wait=false"]);
    gone.push(name);
  }
  return gone;
}

/** Reads a Secret; undefined if there is none of that name. */
export async function readSecret(kubectl: Kubectl, name: string): Promise<LiveSecret | undefined> {
  const text = await kubectl.run(["get", `secrets/${name}`, "--ignore-not-found", "--output=json"]);
  return text.trim() === "" ? undefined : (JSON.parse(text) as LiveSecret);
}

/** Returns the value of a label, which has at most 63 characters of a few kinds. */
function label(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/g, "-").slice(0, 63);
}

function cantMove(problems: readonly string[]): CommandFailure {
  return new CommandFailure(
    EXIT.usage,
    problems.length === 1 ? problems[0]! : `The app's Secrets don't allow it:\n  - ${problems.join("\n  - ")}`,
    "nothing was moved; the app runs as before.",
    "see to what it says, then the same command again",
  );
}
