import type * as pulumi from "@pulumi/pulumi";
import { proofProblem, type RehearsalProof, readRehearsalProof, rehearsalProofName } from "../report/rehearsal-proof";
import type { MeasuredOnCopy } from "../review/measured-durations";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import type { ReportReader } from "./job-reports";
import { liveObjects } from "./live-objects";

/** The result of the last rehearsal of a stack; the proof is undefined if there was none. Or why it is unknown. */
export type LastRehearsal = { proof: RehearsalProof | undefined } | { unknown: string };

/**
 * Reads the result of the last rehearsal from the cluster. It runs in previews too and never throws.
 *
 * @param opts the provider of the package `command`, which asks the cluster
 */
export async function lastRehearsal(
  { app, namespace }: Settings,
  reader: ReportReader,
  opts?: pulumi.InvokeOptions,
): Promise<LastRehearsal> {
  const found = await liveObjects(reader, namespace, [`configmaps/${rehearsalProofName(app.name)}`], opts);
  return "unknown" in found ? found : { proof: readRehearsalProof(found.objects[0]?.["data"]) };
}

/**
 * Returns why a rehearsal proves nothing for these migrations, as the end of a sentence; undefined if it proves that
 * they work.
 */
export function rehearsalProblem(
  last: LastRehearsal,
  { rehearsal }: Settings,
  { fingerprint }: Pick<PackedHistory, "fingerprint">,
): string | undefined {
  if ("unknown" in last) return `the result of the last rehearsal can't be read: ${last.unknown}`;
  return proofProblem(last.proof, { fingerprint, settings: rehearsal, now: new Date() });
}

/** Returns what a rehearsal measured of these very migrations; undefined if it measured nothing of them. */
export function measuredOnCopy(
  last: LastRehearsal | undefined,
  { fingerprint }: Pick<PackedHistory, "fingerprint">,
): MeasuredOnCopy | undefined {
  const { proof } = last && "proof" in last ? last : {};
  if (proof?.fingerprint !== fingerprint || !proof.measurement) return undefined;
  return { at: proof.at, measurement: proof.measurement };
}
