import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { certificateAuthority } from "../migrator/db/certificates";
import { forwardFor } from "./forward";
import { kubectl, list } from "./kubectl";

const NAME = "release-e2e-injector";

/**
 * Adds a container to the pods of a namespace as a service mesh does, by a webhook of the API server. Pods with the
 * label `e2e-inject: "false"` are left alone. Gives what removes the webhook again.
 */
export async function injectInto(namespace: string, container: object): Promise<() => Promise<void>> {
  const [node] = await list("default", "nodes");
  const address = node.status.addresses.find((each: { type: string }) => each.type === "InternalIP").address;
  const authority = certificateAuthority("injector authority");
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const { uid } = JSON.parse(Buffer.concat(pieces).toString()).request;
      const patch = JSON.stringify([{ op: "add", path: "/spec/containers/-", value: container }]);
      const answer = { uid, allowed: true, patchType: "JSONPatch", patch: Buffer.from(patch).toString("base64") };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const forward = await forwardFor(address, (server.address() as AddressInfo).port);
  // The API server connects to the address of the forward, which is known only now.
  const own = authority.issue("injector", [forward.host]);
  server.setSecureContext({ cert: own.certificate, key: own.key });
  const webhook = {
    name: "injector.example.com",
    clientConfig: {
      url: `https://${forward.host}:${forward.port}/`,
      caBundle: Buffer.from(authority.certificate).toString("base64"),
    },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    objectSelector: { matchExpressions: [{ key: "e2e-inject", operator: "NotIn", values: ["false"] }] },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };
  const apiVersion = "admissionregistration.k8s.io/v1";
  const configuration = {
    apiVersion,
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [webhook],
  };
  await kubectl(["apply", "--filename", "-"], JSON.stringify(configuration));
  return async () => {
    await kubectl(["delete", "mutatingwebhookconfiguration", NAME]);
    forward.close();
    server.close();
  };
}
