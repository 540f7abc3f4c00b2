import { expect, test } from "vitest";
import { jsonPatch } from "../../../../local/cloud/kubernetes/json-patch";

const OBJECT = {
  metadata: { resourceVersion: "7", annotations: { "a/b": "1" }, managedFields: [{ manager: "helm" }] },
};

test("a patch replaces what is at a path, in a copy", () => {
  const patched = jsonPatch(OBJECT, [
    { op: "test", path: "/metadata/resourceVersion", value: "7" },
    { op: "replace", path: "/metadata/annotations/a~1b", value: "2" },
    { op: "replace", path: "/metadata/managedFields/0", value: { manager: "pulumi" } },
  ]);
  expect(patched.metadata).toMatchObject({ annotations: { "a/b": "2" }, managedFields: [{ manager: "pulumi" }] });
  expect(OBJECT.metadata.managedFields).toEqual([{ manager: "helm" }]);
});

test.each([
  ["test", "/metadata/resourceVersion", "8"],
  ["replace", "/metadata/labels", {}],
  ["replace", "/spec/replicas", 1],
] as const)("a patch fails whose %s of %s finds something else", (op, path, value) => {
  expect(() => jsonPatch(OBJECT, [{ op, path, value }])).toThrow("the server rejected our request");
});
