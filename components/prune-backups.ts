import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { counted } from "../text/counted";
import { shellWord } from "../text/shell-word";
import type { Backup } from "./backup";
import { type OpsRunner, runOps } from "./ops-command";
import type { LiveRelease } from "./release-outputs";

/** How `ops prune` is run after a completed release. */
export interface BackupPruner extends OpsRunner {
  /** Whether to look at the quota of snapshots although `backup.keep` is not set. */
  looksAtQuota: boolean;
}

/** The longest time of the command. Whatever it has not removed by then goes after the next release. */
const TIMEOUT = "10m";

/** What decides the step. */
export interface PruneBackupsArgs {
  /** Default: nothing is removed. */
  pruner?: BackupPruner | undefined;
  settings: Pick<Settings, "backup">;
  /**
   * The backup that was planned. A release that has needed none leaves no more of them than there were. What the release
   * before relied on stays.
   */
  backup?: Pick<Backup, "needed" | "published"> | undefined;
  /** The namespace of the release in the cluster. */
  namespace: pulumi.Input<string>;
  /** How kubectl reaches the cluster. */
  kubectl: { context?: string | undefined; kubeconfig?: pulumi.Input<string> | undefined };
  outputs: pulumi.Output<LiveRelease>;
  /** An output that is known when the release is complete. */
  completed: pulumi.Output<unknown>;
}

/**
 * Removes old backups after a completed release, by `ops prune`. It never fails the release: what goes wrong is a
 * warning. It is a function and no resource, so nothing of it is in Pulumi's state, neither credentials nor output.
 *
 * @param parent the component that the messages are about, and whose providers run the command
 */
export function pruneBackups(args: PruneBackupsArgs, parent: pulumi.Resource): void {
  const { pruner, settings, backup } = args;
  const { keep, mode } = settings.backup;
  const quotaOnly = keep === undefined;
  if (pulumi.runtime.isDryRun() || !pruner || backup?.needed === false || mode === "none") return;
  if (quotaOnly && (mode !== "snapshot" || !pruner.looksAtQuota)) return;
  const except = [backup?.published?.id, backup?.published?.copy?.id].flatMap((id) => id ?? []);
  pulumi.all([args.outputs, args.namespace, args.completed]).apply(async ([outputs, namespace]) => {
    const messages = await runPrune(pruner, { ...args, except, outputs, namespace }, parent);
    for (const text of messages.removed) void pulumi.log.info(text, parent);
    // Without backup.keep nobody has asked for anything, so what could not be looked at is not told.
    for (const text of quotaOnly ? messages.warnings : [...messages.failed, ...messages.warnings])
      void pulumi.log.warn(text, parent);
  });
}

async function runPrune(
  pruner: BackupPruner,
  run: Pick<PruneBackupsArgs, "kubectl"> & { except: string[]; outputs: LiveRelease; namespace: string },
  parent: pulumi.Resource,
): Promise<PruneMessages> {
  const { kubectl, except, outputs, namespace } = run;
  const stack = pulumi.getStack();
  const options = ["--timeout", TIMEOUT, ...except.flatMap((name) => ["--except", name])];
  // A program with providers of its own may have no region in its configuration.
  const region = outputs.snapshot?.arn.split(":")[3];
  const defaults = region === undefined ? {} : { "aws:region": region };
  try {
    const args = { verb: "prune", options, namespace, kubectl, outputs, defaults };
    return pruneMessages(await runOps(pruner, args, parent), stack);
  } catch (error) {
    return pruneMessages(String((error as Error).message), stack);
  }
}

/** What is told of a removal. */
interface PruneMessages {
  removed: string[];
  /** Why something could not be removed; empty if everything was. */
  failed: string[];
  /** Other things to know, such as a quota that is nearly used. */
  warnings: string[];
}

const prunedSchema = z.object({
  event: z.literal("pruned"),
  places: z.array(z.object({ gone: z.array(z.object({ id: z.string() })), warnings: z.array(z.string()) })),
});

/**
 * Reads what `ops prune --json` has printed; it is a part of the error's text if the command failed.
 *
 * @param text the output, or the message of the error
 */
export function pruneMessages(text: string, stack: string): PruneMessages {
  const places = text.split("\n").flatMap((line) => parsed(line)?.places ?? []);
  const gone = places.flatMap((place) => place.gone.map(({ id }) => id));
  const [, reason] = /^FAILED: (.*)/m.exec(text) ?? [];
  const [, next] = /^Next: (.*)/m.exec(text) ?? [];
  const failed =
    reason ?? (places.length > 0 ? undefined : text.split("\n")[0]!.slice(0, 200) || "the command said nothing");
  return {
    removed: gone.length === 0 ? [] : [`Removed ${counted(gone.length, "old backup")}: ${gone.join(", ")}`],
    failed:
      failed === undefined
        ? []
        : [
            `Old backups were not all removed: ${failed}\n` +
              "The release is complete: the database is migrated, and the new version serves.\n" +
              `Next: ${next && next !== "the same command again" ? next : `${commandLine("ops")} prune --stack ${shellWord(stack)}`}`,
          ],
    warnings: places.flatMap(({ warnings }) => warnings),
  };
}

function parsed(line: string): z.infer<typeof prunedSchema> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return prunedSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
