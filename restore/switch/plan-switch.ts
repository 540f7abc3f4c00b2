import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import { releaseFacts } from "../../by-hand/release-facts";
import type { Output } from "../../by-hand/run-job";
import { HistoryError, readHistorySync } from "../../migrations/history/history";
import type { WrittenBase } from "../../migrator/verbs/written";
import type { RestoreTarget } from "../target";
import { verifyCopy } from "../verification";
import { changesOf } from "./changes";
import { chosenImage } from "./chosen-image";
import type { SwitchRecord } from "./record";
import { type PlannedSecret, planSecrets } from "./secrets";
import { rawSettings, type SwitchStack } from "./stack";

/** What is asked for of a switch. */
export interface SwitchRequest {
  readonly copy: string;
  /** `--image`. */
  readonly image: string | undefined;
  /** The file of `--outputs`. */
  readonly outputs: string | undefined;
  /** Whether lost rows, and a copy that lacks something, are accepted. */
  readonly acceptLoss: boolean;
}

/** A switch as it will be, and what a person should know of it. */
export interface SwitchPlan {
  readonly record: SwitchRecord;
  readonly secrets: readonly PlannedSecret[];
  /** Why it is this image. */
  readonly imageWhy: string;
  readonly notes: readonly string[];
}

/** The fields of the migrator's event `restored` that a switch needs. */
interface FoundCopy {
  readonly last?: string;
  readonly written?: { readonly source: WrittenBase | null; readonly copy: WrittenBase };
}

/**
 * Plans a switch by looking alone: at the copy, the Secrets, the settings and the stack's outputs.
 * @throws CommandFailure if the app can't be moved to the copy
 */
export async function planSwitch(
  {
    request,
    stack,
    namespace,
    kubectl,
    target,
    stop,
  }: {
    request: SwitchRequest;
    stack: SwitchStack;
    namespace: string;
    kubectl: Kubectl;
    target: RestoreTarget;
    stop: AbortSignal;
  },
  output: Output,
): Promise<SwitchPlan> {
  const { copy } = request;
  const { database, app, workloads } = stack.settings;
  if (database.file)
    throw new CommandFailure(
      EXIT.usage,
      "The connection is in files of the CSI driver (database.file), whose contents are kept outside of the cluster.",
      "nothing was moved; the app runs as before.",
      "make the value lead to the copy where it is kept, set database.identifier, app.image and migrations.until, and run `up`",
    );
  if (!target.move)
    throw new CommandFailure(EXIT.usage, "An app can't be moved to copies of this kind of backup by this command.");
  const move = await target.move(copy);
  if (move.isRehearsal === true)
    throw new CommandFailure(
      EXIT.usage,
      `${copy} is the copy of a rehearsal: it has no backups, and is removed by itself.`,
      "nothing was moved; the app runs as before.",
      "restore the backup, and move the app to that copy",
    );
  const facts = await releaseFacts(process.cwd(), stack.name, request.outputs);
  const verified = await verifyCopy({ stack, copy: { name: copy, ...move.copy }, facts, stop }, output);
  const found = (verified.found ?? {}) as FoundCopy;
  if (verified.status !== 0 && !(request.acceptLoss && verified.status === 9 && found.last !== undefined))
    throw new CommandFailure(
      verified.status,
      stop.aborted ? "Interrupted." : `${copy} lacks what is told above.`,
      "nothing was moved; the app runs as before.",
      "restore another backup; or the same command with --accept-loss, to move the app to it all the same",
    );
  if (found.last === undefined || !found.written)
    throw new CommandFailure(
      EXIT.usage,
      `${copy} has no history of migrations, so no version of the app is known that works with it.`,
      "nothing was moved; the app runs as before.",
      "restore another backup",
    );
  const { last, written } = found;
  const image = chosenImage(facts, last, request.image);
  const raw = rawSettings(stack, namespace);
  const secrets = (await planSecrets(kubectl, database, copy, move)).filter(({ moved }) => moved.moved.length > 0);
  const named = new Map(secrets.map(({ of, name }) => [of, name]));
  const changes = changesOf({
    ...{ raw, settings: stack.settings, move, secrets: named },
    image: (raw["app"] as { image?: unknown } | undefined)?.image === undefined ? undefined : image.image,
    until: untilOf(stack.directory, last),
    attempt: facts.outputs?.attempt ?? undefined,
  });
  const ownImages = workloads.flatMap((each) => (each.image === undefined ? [] : each.name));
  const began = new Date().toISOString();
  return {
    record: {
      ...{ phase: "switching", copy, began, move, last, image: image.image, changes, written },
      ...{ secrets: Object.fromEntries(named), writers: {} },
    },
    secrets,
    imageWhy: image.why,
    notes: [
      ...secrets.flatMap(({ moved }) => moved.notes),
      ...(ownImages.length > 0
        ? [
            `The images of ${ownImages.join(", ")} are their own and stay: set them back too, if they belong to the new schema.`,
          ]
        : []),
      ...((raw["app"] as { image?: unknown } | undefined)?.image === undefined
        ? [`The program decides the image by itself: have it release ${image.image}.`]
        : []),
      ...(app.replicas === "external"
        ? ["The number of the app's pods is left to an autoscaler outside of the release: pause it first."]
        : []),
    ],
  };
}

/** Returns the last migration to release; undefined if the checkout has none after it. */
function untilOf(directory: string, last: string): string | undefined {
  const names = namesIn(directory);
  if (names.at(-1) === last) return undefined;
  if (names.includes(last)) return last;
  throw new CommandFailure(
    EXIT.usage,
    `The copy's last migration, ${last}, is not in ${directory}.`,
    "nothing was moved; the app runs as before.",
    "check out a state of the repository that has it, then the same command again",
  );
}

function namesIn(directory: string): string[] {
  try {
    return readHistorySync(directory).map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new CommandFailure(
      EXIT.usage,
      error.message,
      "nothing was moved.",
      "correct it, then the same command again",
    );
  }
}
