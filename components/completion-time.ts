import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SnapshotDescription } from "./snapshot-status";

/**
 * Returns the time at which an `up` saw a snapshot become `available` (ISO 8601); undefined if there is none any more.
 * The state records it once for each snapshot, because RDS reports only when one was begun, and a large one takes hours.
 * A snapshot that was deleted by hand and made again under the same name gets a new time, because it was begun later.
 *
 * @param found RDS' description, once the snapshot is `available`
 * @param availableSince the time to record if the snapshot was complete before this `up`
 */
export function completionTime(
  name: string,
  found: pulumi.Output<SnapshotDescription | undefined>,
  availableSince: string | undefined,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string | undefined> {
  const completed = new local.Command(
    `${name}-completed`,
    {
      create: found.apply(() =>
        availableSince === undefined ? "date -u +%Y-%m-%dT%H:%M:%SZ" : `echo ${availableSince}`,
      ),
      logging: "none",
      triggers: [found.apply((known) => known?.createdAt ?? "gone")],
    },
    { ...opts, ignoreChanges: ["create", "logging"] },
  );
  return pulumi.all([found, completed.stdout]).apply(([known, at]) => (known ? at.trim() : undefined));
}
