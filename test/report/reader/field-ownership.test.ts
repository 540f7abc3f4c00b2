import { expect, test } from "vitest";
import { handOverPatch, type OwnedObject } from "../../../report/reader/field-ownership";

const entry = (manager: string, fieldsV1: object, more: object = {}) =>
  ({ manager, operation: "Update", apiVersion: "apps/v1", fieldsV1, ...more }) as never;

function deployment(...managedFields: never[]): OwnedObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "notes", resourceVersion: "7", managedFields },
  };
}

test("what all tools have set of the specification goes to one manager, and controllers keep what is theirs", () => {
  const controller = entry("kube-controller-manager", { "f:status": {} }, { subresource: "status" });
  const scale = entry("kubectl", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" });
  const object = deployment(
    entry("kubectl-client-side-apply", {
      "f:metadata": { "f:annotations": {} },
      "f:spec": {
        "f:replicas": {},
        "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': { ".": {}, "f:image": {} } } } },
      },
    }),
    entry("kubectl-set", {
      "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': { "f:env": {} } } } } },
    }),
    controller,
    scale,
  );
  expect(handOverPatch(object, "pulumi-release")).toEqual([
    { op: "test", path: "/metadata/resourceVersion", value: "7" },
    {
      op: "replace",
      path: "/metadata/managedFields",
      value: [
        controller,
        scale,
        {
          manager: "pulumi-release",
          operation: "Apply",
          apiVersion: "apps/v1",
          time: expect.any(String),
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:spec": {
              "f:template": {
                "f:spec": { "f:containers": { 'k:{"name":"web"}': { ".": {}, "f:image": {}, "f:env": {} } } },
              },
            },
          },
        },
      ],
    },
  ]);
});

test("of a Service only what every release sets is handed over, so that the rest stays", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "notes",
      managedFields: [
        entry("helm", { "f:spec": { "f:sessionAffinity": {}, "f:ports": {} }, "f:metadata": { "f:annotations": {} } }),
      ],
    },
  };
  const [, patch] = handOverPatch(service, "pulumi-release");
  expect(patch!.value).toMatchObject([{ fieldsV1: { "f:spec": { "f:selector": {}, "f:type": {} } } }]);
});

test("what was handed over already is left alone", () => {
  const [, patch] = handOverPatch(deployment(entry("helm", { "f:spec": { "f:paused": {} } })), "pulumi-release");
  expect(handOverPatch(deployment(...(patch!.value as never[])), "pulumi-release")).toEqual([]);
});
