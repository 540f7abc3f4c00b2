import { expect, test } from "vitest";
import { type FieldManager, managedFields } from "../../../../local/cloud/kubernetes/managed-fields";
import type { KubernetesObject } from "../../../../local/cloud/kubernetes/object";
import { deployment } from "./cluster";

const PULUMI: FieldManager = { manager: "pulumi-kubernetes", operation: "Apply" };
const by = (manager: string, subresource?: string): FieldManager => ({
  manager,
  operation: "Update",
  ...(subresource && { subresource }),
});

/** The object as it is after a change that the server accepts. */
function change(who: FieldManager, object: KubernetesObject, previous?: KubernetesObject): KubernetesObject {
  const fields = managedFields(who, object, object, previous);
  return { ...object, metadata: { ...object.metadata, managedFields: fields } };
}

const made = change(PULUMI, deployment("1"));
const image = (tag: string) => deployment(tag);
const scaled = change(by("kubectl", "scale"), deployment("1", { replicas: 7 }), made);

test("refuses an apply over what others have changed, in the API server's words", () => {
  const both = change(by("kubectl-set"), deployment("hotfix", { replicas: 7 }), scaled);
  expect(() => change(PULUMI, image("2"), scaled)).toThrow(
    'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
  );
  // Tried on Kubernetes 1.34.
  expect(() => change(PULUMI, image("2"), both)).toThrow(
    'Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n- .spec.replicas\n' +
      'conflicts with "kubectl-set" using apps/v1:\n- .spec.template.spec.containers[name="main"].image',
  );
});

test("accepts an apply with the values that others have set, and one over fields that nobody else has", () => {
  expect(() => change(PULUMI, deployment("2", { replicas: 7 }), scaled)).not.toThrow();
  expect(() => change(PULUMI, image("2"), made)).not.toThrow();
});

test("accepts an update over anything, and records who has which field now", () => {
  const fields = change(by("kubectl-set"), image("hotfix"), made).metadata["managedFields"] as {
    manager: string;
    fieldsV1: { "f:spec": { "f:template": { "f:spec": { "f:containers": Record<string, Record<string, object>> } } } };
  }[];
  const owners = fields.filter(
    ({ fieldsV1 }) => fieldsV1["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}']?.["f:image"],
  );
  expect(owners.map(({ manager }) => manager)).toEqual(["kubectl-set"]);
});
