import * as aws from "@pulumi/aws/rds";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import type { Duration } from "../settings/units";
import { childOf } from "./child";
import { completionTime } from "./completion-time";
import { onError } from "./error-hook";
import { ReleaseError } from "./release-error";
import { candidates } from "./release-id";
import type { DatabaseSnapshot } from "./snapshot";
import { findSnapshot, type SnapshotKey, WAITED_FOR, waitUntilAvailable } from "./snapshot-status";

/** The settings of a copy. */
export type CopySettings = NonNullable<Settings["backup"]["copy"]>;

/** The copy that a release uses. */
export interface PlannedCopy {
  /** Its name in the other region. */
  identifier: string;
  /** Whether RDS has it there already. */
  exists: boolean;
  /** The time at which it was begun (ISO 8601). It is set only if it was complete before this `up`. */
  availableSince?: string;
}

/** The state of database and app when a copy fails. */
const STATES: Record<CopySettings["when"], string> = {
  "after-rollout":
    "The migration is done and the new version serves; the snapshot itself is complete in its own region.",
  "before-migration":
    "The migration did not start: the database is unchanged, and the app that was serving goes on serving.",
};

/** This error reports that there is no copy of the snapshot in the other region. */
export class SnapshotCopyError extends ReleaseError {
  override readonly name = "SnapshotCopyError";

  constructor(when: CopySettings["when"], what: string, next: string) {
    super(`${what}\n${STATES[when]}\n${next}`);
  }
}

/** This error reports that a program made a `Release` without the provider that `backup.copy` needs. */
export class CopyProviderMissing extends ReleaseError {
  override readonly name = "CopyProviderMissing";

  constructor(region: string) {
    super(
      `The settings name backup.copy.region (${region}), but the program has no AWS provider of that region for it.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "In the program, give prepareRelease that provider as own.copy, or the Release as copyProvider; then run the same command again.",
    );
  }
}

/**
 * Finds the copy of a snapshot in another region, or chooses its name. The copy has the snapshot's name. One that has
 * failed, is being deleted, or was begun before the snapshot was, is of no use: the name `…-r2` and so on is taken then.
 *
 * @param source the name of the snapshot, and the time at which it was begun, if RDS has it already
 * @param opts the provider of the other region
 * @throws SnapshotError when RDS can't be queried
 * @throws {@link SnapshotCopyError} when no name is left
 */
export async function chooseCopy(
  { kind, identifier }: SnapshotKey,
  source: { availableSince?: string | undefined },
  { region, when }: CopySettings,
  opts: pulumi.InvokeOptions,
): Promise<PlannedCopy> {
  const names = candidates(identifier);
  for (const name of names) {
    const found = await findSnapshot({ kind, identifier: name }, opts);
    if (!found) return { identifier: name, exists: false };
    const since = source.availableSince;
    if (since === undefined || Date.parse(found.createdAt) < Date.parse(since)) continue;
    if (found.status === "available") return { identifier: name, exists: true, availableSince: found.createdAt };
    if (WAITED_FOR.includes(found.status)) return { identifier: name, exists: true };
  }
  throw new SnapshotCopyError(
    when,
    `All ${names.length} names of copies ${identifier}… in ${region} are taken by copies that failed or are of older snapshots.`,
    `Delete those in ${region} that nobody needs, and run the same \`up\` again.`,
  );
}

/** The arguments of a copy. */
export interface SnapshotCopyArgs extends PlannedCopy {
  kind: SnapshotKey["kind"];
  /** The snapshot that is copied. */
  source: DatabaseSnapshot;
  settings: CopySettings;
  /** The longest time that the copy may take. */
  timeout: Duration;
  tags: Record<string, string>;
  /** The AWS provider of the other region. */
  provider: pulumi.ProviderResource;
}

/**
 * A copy of a release's snapshot in another region. Like the snapshot it stays in RDS when it leaves the program.
 *
 * RDS copies from the region of the request's receiver, so the resource belongs to the provider of the other region and
 * names its source by its ARN. The resource's own `destinationRegion` only signs a request that GovCloud wants.
 */
export class SnapshotCopy extends pulumi.ComponentResource {
  /** The time at which an `up` saw the copy become `available` (ISO 8601). */
  readonly completedAt: pulumi.Output<string | undefined>;

  constructor(name: string, args: SnapshotCopyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:SnapshotCopy", name, {}, opts);
    const { kind, identifier, source, settings, timeout, provider, tags } = args;
    const { region, kmsKey, when } = settings;
    const options: pulumi.CustomResourceOptions = {
      ...childOf(this, opts, [source]),
      provider,
      retainOnDelete: true,
      customTimeouts: { create: `${timeout.seconds}s` },
      ...onError(`${name}: tell what a failed copy leaves`, async ({ failedOperation }) => {
        if (failedOperation === "create")
          console.warn(`The snapshot was not copied to ${region}.\n${STATES[when]}\nNext: run the same \`up\` again.`);
        return false;
      }),
      // RDS names source and key in its own way, and later releases with the same snapshot have other tags.
      ignoreChanges: ["tags", "tagsAll", "kmsKeyId", "sourceDbSnapshotIdentifier", "sourceDbClusterSnapshotIdentifier"],
      ...(args.exists ? { import: identifier } : {}),
    };
    // A snapshot that somebody deleted meanwhile has no ARN; RDS says then that it doesn't find the source.
    const arn = source.location.apply((known) => known ?? source.id);
    const shared = { tags, ...(kmsKey === undefined ? {} : { kmsKeyId: kmsKey }) };
    const copy =
      kind === "instance"
        ? new aws.SnapshotCopy(
            name,
            { ...shared, sourceDbSnapshotIdentifier: arn, targetDbSnapshotIdentifier: identifier },
            options,
          )
        : new aws.ClusterSnapshotCopy(
            name,
            { ...shared, sourceDbClusterSnapshotIdentifier: arn, targetDbClusterSnapshotIdentifier: identifier },
            options,
          );
    // The resource alone doesn't tell whether an interrupted copy was ever completed, so RDS is asked.
    const available = copy.id.apply(() =>
      waitUntilAvailable(
        {
          ...{ kind, identifier, timeout, encryptionRequired: false },
          title: `Copy ${identifier} of the snapshot in ${region}`,
          fail: (what, next) => new SnapshotCopyError(when, what, next),
        },
        { provider, parent: this },
      ),
    );
    this.completedAt = completionTime(name, available, args.availableSince, childOf(this, opts));
    this.registerOutputs({ arn: available.apply((found) => found?.arn) });
  }
}

/** Returns the logical name of a copy. */
export function copyName({ identifier, settings }: Pick<SnapshotCopyArgs, "identifier" | "settings">): string {
  return `${identifier}-${settings.region}`;
}

/** Returns the ARN that the copy of a snapshot has in another region. */
export function copyArn(source: string, { region }: Pick<CopySettings, "region">, identifier: string): string {
  const [arn, partition, service, , account, type] = source.split(":");
  return [arn, partition, service, region, account, type, identifier].join(":");
}
