import type * as pulumi from "@pulumi/pulumi";
import { proofProblem, readRehearsalProof, rehearsalProofName } from "../report/rehearsal-proof";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import type { ReportReader } from "./job-reports";
import { liveObjects } from "./live-objects";

/**
 * Reads the result of the last rehearsal from the cluster. It runs in previews too and never throws.
 *
 * @param opts the provider of the package `command`, which asks the cluster
 * @returns why it proves nothing for these migrations, as the end of a sentence; undefined if it proves that they work
 */
export async function rehearsalProblem(
  { app, namespace, rehearsal }: Settings,
  { fingerprint }: Pick<PackedHistory, "fingerprint">,
  reader: ReportReader,
  opts?: pulumi.InvokeOptions,
): Promise<string | undefined> {
  const found = await liveObjects(reader, namespace, [`configmaps/${rehearsalProofName(app.name)}`], opts);
  if ("unknown" in found) return `the result of the last rehearsal can't be read: ${found.unknown}`;
  const proof = readRehearsalProof(found.objects[0]?.["data"]);
  return proofProblem(proof, { fingerprint, settings: rehearsal, now: new Date() });
}
