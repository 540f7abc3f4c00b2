import * as pulumi from "@pulumi/pulumi";
import { rehearsalSource } from "../settings/rehearsal-rules";
import type { Settings } from "../settings/schema";
import type { BackupStep } from "./backup-step";
import { type OpsCommandArgs, type OpsRunner, opsFailure, runOps } from "./ops-command";
import { ReleaseError } from "./release-error";

/** This error ends a release whose migrations were not right on a copy of the database. Production is untouched. */
export class RehearsalError extends ReleaseError {
  override readonly name = "RehearsalError";

  /** @param message what `ops rehearse` has printed, or why it could not be run */
  constructor(message: string) {
    const { what, database, next } = opsFailure(message) ?? {
      what: message.split("\n")[0]!.slice(0, 200),
      database: "production is untouched. A copy may be left, which the next `up` or rehearsal removes.",
      next: "the same command again",
    };
    super(
      "The rehearsal has failed, so this release ends before production is touched.\n" +
        `  ${what.replaceAll("\n", "\n  ")}\n` +
        `Database: ${database}\n` +
        "App: not touched; the version that is serving goes on serving.\n" +
        `Next: ${next}`,
    );
  }
}

/** What decides the step. */
export interface RehearsalStepArgs {
  /** How the command is run; undefined: nothing is to be rehearsed. */
  runner: OpsRunner | undefined;
  settings: Settings;
  backup: BackupStep | undefined;
  namespace: pulumi.Input<string>;
  kubectl: OpsCommandArgs["kubectl"];
  /** An output that is known when the preflight has passed. */
  checked: pulumi.Output<unknown>;
}

/**
 * Rehearses the migrations on a copy of the backup that this release has made, by `ops rehearse`, which removes the copy
 * in every case, also what an earlier one has left. It is a function and no resource, so nothing of it is in Pulumi's
 * state, and a release without it deletes nothing.
 *
 * @param parent the component that the messages are about, and whose providers run the command
 * @returns an output that is known when the migrations have passed. It fails with {@link RehearsalError}.
 */
export function rehearseMigrations(args: RehearsalStepArgs, parent: pulumi.Resource): pulumi.Output<unknown> {
  const { runner, settings, backup, kubectl } = args;
  if (!runner) return pulumi.output(undefined);
  const own = rehearsalSource(settings, true) !== "pitr";
  const of = own && backup ? `${backup.kind} ${backup.id}` : "the latest moment of its automated backups";
  const { timeout } = settings.rehearsal;
  if (pulumi.runtime.isDryRun()) {
    void pulumi.log.info(`The migrations will be rehearsed on a copy of the database, made of ${of}.`, parent);
    return pulumi.output(undefined);
  }
  return pulumi.all([args.namespace, args.checked, backup?.completedAt]).apply(async ([namespace]) => {
    void pulumi.log.info(
      `Rehearsing the migrations on a copy of the database, made of ${of} (at most ${timeout}) …`,
      parent,
    );
    const to = own && backup ? ["--to", backup.id] : [];
    const command = {
      ...{ verb: "rehearse", options: to, namespace, kubectl, outputs: {}, logging: "stdout" as const },
      // The program may have built the image, and only it knows the image then.
      settings: { app: { image: settings.app.image } },
    };
    try {
      await runOps(runner, command, parent);
    } catch (error) {
      throw new RehearsalError(String((error as Error).message));
    }
    // The Pulumi CLI shows the lines of the command only while it runs.
    void pulumi.log.info("The migrations have passed their rehearsal. Production gets them now.", parent);
  });
}
