import { expect, test } from "vitest";
import { withFieldsOfOthers } from "../../../../local/cloud/kubernetes/apply-merge";
import { withIgnoredFields } from "../../../../local/cloud/kubernetes/ignored-fields";
import { type FieldManager, managedFields } from "../../../../local/cloud/kubernetes/managed-fields";
import type { KubernetesObject } from "../../../../local/cloud/kubernetes/object";
import type { Properties } from "../../../../local/cloud/provider";
import { deployment } from "./cluster";

const PULUMI: FieldManager = { manager: "pulumi-kubernetes", operation: "Apply" };
const SCALE: FieldManager = { manager: "kubectl", operation: "Update", subresource: "scale" };

function change(by: FieldManager, object: KubernetesObject, previous?: KubernetesObject): KubernetesObject {
  const fields = managedFields(by, object, object, previous);
  return { ...object, metadata: { ...object.metadata, managedFields: fields } };
}

function withoutReplicas(object: KubernetesObject): KubernetesObject {
  const { replicas: _, ...spec } = object["spec"];
  return { ...object, spec };
}

const made = change(PULUMI, deployment("1", { replicas: 3 }));
const scaled = change(SCALE, deployment("1", { replicas: 5 }), made);

// Each as tried on Kubernetes 1.34 with `kubectl apply --server-side`.
test("an apply that leaves out a number that somebody else set keeps it", () => {
  const merged = withFieldsOfOthers(withoutReplicas(deployment("2")), scaled, PULUMI.manager);
  expect(merged["spec"].replicas).toBe(5);
  expect(merged["spec"].template.spec.containers).toEqual(deployment("2")["spec"].template.spec.containers);
});

test("an apply that leaves out its own number loses it", () => {
  const merged = withFieldsOfOthers(withoutReplicas(deployment("2")), made, PULUMI.manager);
  expect(merged["spec"]).not.toHaveProperty("replicas");
});

test("an apply keeps the variables and containers that somebody else has added", () => {
  const extended = structuredClone(made);
  extended["spec"].template.spec.containers[0].env.push({ name: "DEBUG", value: "1" });
  extended["spec"].template.spec.containers.push({ name: "proxy", image: "proxy:1" });
  const live = change({ manager: "kubectl-edit", operation: "Update" }, extended, made);
  const containers = withFieldsOfOthers(deployment("2"), live, PULUMI.manager)["spec"].template.spec.containers;
  expect(containers).toMatchObject([
    { name: "main", env: [{ name: "PORT" }, { name: "DEBUG", value: "1" }] },
    { name: "proxy", image: "proxy:1" },
  ]);
});

test("an apply keeps what a tool gave up when it was handed over, and not what is gone with an item of its own", () => {
  const service = (ports: object[]): KubernetesObject => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "notes", annotations: { team: "notes" } },
    spec: { sessionAffinity: "ClientIP", ports },
  });
  const given = { ...service([{ port: 80 }]), metadata: { name: "notes" }, spec: { ports: [{ port: 80 }] } };
  const handedOver = service([{ port: 80 }, { port: 9090, name: "metrics" }]);
  expect(withFieldsOfOthers(given, handedOver, PULUMI.manager)).toMatchObject({
    metadata: { annotations: { team: "notes" } },
    spec: { sessionAffinity: "ClientIP", ports: [{ port: 80 }, { port: 9090, name: "metrics" }] },
  });
  const own = change(PULUMI, { ...given, spec: { ports: [{ port: 8080 }] } });
  own["spec"].ports[0].nodePort = 30_080;
  expect(withFieldsOfOthers(given, own, PULUMI.manager)["spec"].ports).toEqual([{ port: 80 }]);
});

test.each<[what: string, live: KubernetesObject, applied: number | undefined]>([
  ["is left out where somebody else set it", scaled, undefined],
  ["is set again as it is in the cluster where it is the program's own", made, 3],
  ["is set again as it is where both set it", change(PULUMI, deployment("1", { replicas: 5 }), scaled), 5],
])("a number that the program leaves alone %s", (_, live, applied) => {
  const inputs = deployment("2", { replicas: 9 }) as unknown as Properties;
  const { spec } = withIgnoredFields(inputs, live, PULUMI.manager, ["spec.replicas"]) as unknown as KubernetesObject;
  expect(spec.replicas).toBe(applied);
});

test("a manager's time is that of its last change, not of an apply that changes nothing", () => {
  const times = (object: KubernetesObject) =>
    (object.metadata["managedFields"] as { manager: string; time: string }[]).map(({ manager, time }) => [
      manager,
      time,
    ]);
  const aged = structuredClone(made);
  for (const entry of aged.metadata["managedFields"] as { time: string }[]) entry.time = "2026-01-01T00:00:00Z";
  expect(times(change(PULUMI, deployment("1", { replicas: 3 }), aged))).toEqual([
    ["pulumi-kubernetes", "2026-01-01T00:00:00Z"],
  ]);
  const [own, others] = times(change(SCALE, deployment("1", { replicas: 4 }), aged));
  expect(own).toEqual(["pulumi-kubernetes", "2026-01-01T00:00:00Z"]);
  expect(others![1]).not.toBe("2026-01-01T00:00:00Z");
});
