import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffObjects } from "../../../../local/cloud/kubernetes/diff";
import {
  changesBetween,
  contains,
  formatPath,
  parsePath,
  prune,
} from "../../../../local/cloud/kubernetes/property-diff";
import { type Json, type Properties, UNKNOWN } from "../../../../local/cloud/provider";
import { deployment, job } from "./cluster";

/** Changes one property of a manifest, `spec.template.spec.containers[0].image`; undefined removes it. */
function change(object: object, path: string, value: Json | undefined): Properties {
  const copy = structuredClone(object) as Properties;
  const keys = parsePath(path);
  let at: Record<string | number, Json> = copy;
  for (const key of keys.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string, Json>;
  }
  if (value === undefined) delete at[keys.at(-1)!];
  else at[keys.at(-1)!] = value;
  return copy;
}

function diff(before: object, news: Properties, { live = {}, ignoreChanges = [] as string[] } = {}) {
  const oldInputs = before as Properties;
  const metadata = { uid: "u", generation: 3, namespace: "default", ...(oldInputs["metadata"] as Properties) };
  const olds = { ...oldInputs, ...live, metadata, status: { observedGeneration: 3 } };
  return diffObjects({ urn: "", id: "default/x", oldInputs, olds, news, ignoreChanges });
}

const of = (apiVersion: string, kind: string, rest: object) => ({ apiVersion, kind, metadata: { name: "x" }, ...rest });
const CONFIG_MAP = of("v1", "ConfigMap", { data: { a: "1" } });
const SECRET = of("v1", "Secret", { stringData: { a: "1" } });
const SERVICE = of("v1", "Service", { spec: { ports: [{ port: 80 }], clusterIP: "10.0.0.1" } });
const BUDGET = of("policy/v1", "PodDisruptionBudget", { spec: { maxUnavailable: 1 } });
const WEB = deployment("1");
const JOB = job("x", "exit 0", { activeDeadlineSeconds: 60 });

describe("a change of a manifest", () => {
  const IMAGE = "spec.template.spec.containers[0].image";
  test.each<[string, object, string, Json | undefined, "update" | "replace"]>([
    ["a Deployment's image", WEB, IMAGE, "server:2", "update"],
    ["a Deployment's replicas", WEB, "spec.replicas", 5, "update"],
    ["a Deployment's selector", WEB, "spec.selector.matchLabels.app", "other", "replace"],
    ["a Deployment's name", WEB, "metadata.name", "other", "replace"],
    ["a Deployment's namespace", WEB, "metadata.namespace", "other", "replace"],
    ["a Deployment's label", WEB, "metadata.labels", { a: "b" }, "update"],
    ["a Job's image", JOB, IMAGE, "node:22", "replace"],
    ["a Job's arguments", JOB, "spec.template.spec.containers[0].args", ["exit 1"], "replace"],
    ["a Job's pod annotation", JOB, "spec.template.metadata", { annotations: { a: "b" } }, "replace"],
    ["a Job's deadline", JOB, "spec.activeDeadlineSeconds", 90, "update"],
    ["a Job's backoffLimit", JOB, "spec.backoffLimit", 2, "update"],
    ["a Job's completions", JOB, "spec.completions", 2, "replace"],
    ["a ConfigMap's data", CONFIG_MAP, "data.a", "2", "replace"],
    ["a ConfigMap's new key", CONFIG_MAP, "data.b", "2", "replace"],
    ["a ConfigMap's removed data", CONFIG_MAP, "data", undefined, "replace"],
    ["a ConfigMap's first binary data", CONFIG_MAP, "binaryData", { b: "AA==" }, "replace"],
    ["a ConfigMap's label", CONFIG_MAP, "metadata.labels", { a: "b" }, "update"],
    ["a Secret's value", SECRET, "stringData.a", "2", "replace"],
    ["a Service's port", SERVICE, "spec.ports[0].port", 81, "update"],
    ["a Service's clusterIP", SERVICE, "spec.clusterIP", "10.0.0.2", "replace"],
    ["a PodDisruptionBudget", BUDGET, "spec.maxUnavailable", 2, "update"],
  ])("%s", (_, before, path, value, expected) => {
    const result = diff(before, change(before, path, value));
    expect(result.changes).toBe("some");
    expect(result.replaces.length > 0 ? "replace" : "update").toBe(expected);
    const renamed = path === "metadata.name" || path === "metadata.namespace";
    expect(result.deleteBeforeReplace).toBe(expected === "replace" && !renamed);
  });

  test("names the properties that changed, down to the element of a list", () => {
    const result = diff(JOB, change(JOB, IMAGE, "node:22"));
    expect(result).toMatchObject({ diffs: [IMAGE], replaces: [IMAGE] });
    const key = diff(WEB, change(WEB, 'metadata.annotations["a.b/c"]', "d"));
    expect(key.diffs).toEqual(["metadata.annotations"]);
  });

  test("is none when nothing changed, whatever the server added", () => {
    const live = { spec: { ...WEB["spec"], progressDeadlineSeconds: 600, revisionHistoryLimit: 10 } };
    expect(diff(WEB, WEB as unknown as Properties, { live })).toMatchObject({
      changes: "none",
      diffs: [],
      replaces: [],
    });
    const stored = { data: { a: Buffer.from("1").toString("base64") }, stringData: undefined };
    expect(diff(SECRET, SECRET as Properties, { live: stored }).changes).toBe("none");
  });

  test("is seen when somebody changed the live object", () => {
    const live = { spec: { ...WEB["spec"], replicas: 7 } };
    expect(diff(WEB, WEB as unknown as Properties, { live }).diffs).toEqual(["spec.replicas"]);
  });

  test("is ignored where the program says so", () => {
    const news = change(WEB, "spec.replicas", 7);
    expect(diff(WEB, news, { ignoreChanges: ["spec.replicas"] }).changes).toBe("none");
    expect(diff(WEB, news, { ignoreChanges: ["spec.template"] }).changes).toBe("some");
  });

  test("that a preview does not know yet replaces what it might replace", () => {
    const inTemplate = diff(JOB, change(JOB, "spec.template.spec.containers[0].args[0]", UNKNOWN));
    expect(inTemplate).toMatchObject({ changes: "some", deleteBeforeReplace: true });
    expect(diff(JOB, change(JOB, "spec", UNKNOWN)).replaces).toEqual(["spec"]);
    expect(diff(WEB, change(WEB, IMAGE, UNKNOWN)).replaces).toEqual([]);
  });

  test("of an object that Pulumi named is made beside the old one", () => {
    const named = { ...CONFIG_MAP, metadata: { name: "x-1234", annotations: { "pulumi.com/autonamed": "true" } } };
    const result = diff(named, change(named, "data.a", "2"));
    expect(result).toMatchObject({ replaces: ["data.a"], deleteBeforeReplace: false });
  });
});

describe("comparing properties", () => {
  const json = fc.jsonValue().map((value) => value as Json);

  test("finds nothing between equals, and something between others", () => {
    fc.assert(fc.property(json, (value) => changesBetween(value, structuredClone(value)).length === 0));
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => (changesBetween({ a }, { a: b }).length === 0) === (a === b)),
    );
  });

  test("prunes to the shape and no further", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (value) => {
        expect(prune(value, value)).toEqual(value);
      }),
    );
    expect(prune({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 9 } })).toEqual({ a: { b: 1 } });
  });

  test("reads the paths that it writes", () => {
    const key = fc.oneof(
      fc.nat(99),
      fc.stringMatching(/^[a-z./"[\]-]{1,9}$/).filter((text) => !/^\d+$/.test(text)),
    );
    fc.assert(
      fc.property(fc.array(key, { minLength: 1 }), (keys) => {
        const path = typeof keys[0] === "number" ? ["list", ...keys] : keys;
        expect(parsePath(formatPath(path))).toEqual(path);
        expect(contains(path.slice(0, 1), path)).toBe(true);
      }),
    );
  });
});
