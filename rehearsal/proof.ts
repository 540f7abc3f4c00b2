import type { Kubectl } from "../by-hand/kubectl";
import { labels } from "../components/pods";
import { type RehearsalProof, rehearsalProofName } from "../report/rehearsal-proof";
import { boundedProof } from "./bounded-proof";

/** The key of the ConfigMap with the proof. */
const KEY = "proof";

/** Keeps the result of a rehearsal in the cluster, in place of the one before, until the next. See {@link boundedProof}. */
export async function recordProof(kubectl: Kubectl, app: string, proof: RehearsalProof): Promise<void> {
  const name = rehearsalProofName(app);
  const { namespace } = kubectl.cluster;
  const found = await kubectl.run(["get", `configmaps/${name}`, "--ignore-not-found", "--output=json"]);
  const metadata = { name, namespace, labels: labels(app, "rehearsal") };
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { [KEY]: JSON.stringify(boundedProof(proof)) },
  };
  await kubectl.run([found.trim() === "" ? "create" : "replace", "--filename=-"], JSON.stringify(object));
}
