import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_CONTAINER_ANNOTATION, withPodFragment } from "../../components/pod-fragment";
import { podMistakes } from "../../settings/pod/mistakes";
import { fragments, TEMPLATE } from "../support/pod-fragments";

describe("a fragment of a pod template", () => {
  test("is merged as Kubernetes merges it", () => {
    const merged = withPodFragment(TEMPLATE, {
      metadata: { labels: { team: "notes" } },
      spec: {
        securityContext: { fsGroup: 2000, seccompProfile: { type: "Unconfined" } },
        tolerations: [{ key: "team" }],
        initContainers: [{ name: "proxy", image: "proxy:1", restartPolicy: "Always" }],
        containers: [
          { name: "log", image: "log:1" },
          {
            name: "app",
            args: ["--b"],
            env: [
              { name: "LEVEL", value: "debug" },
              { name: "NEW", value: "1" },
            ],
            ports: [
              { containerPort: 3000, hostPort: 80 },
              { name: "metrics", containerPort: 9000 },
            ],
            volumeMounts: [{ name: "ca", mountPath: "/ca" }],
          },
        ],
        volumes: [{ name: "ca", configMap: { name: "ca" } }],
      },
    });
    expect(merged).toEqual({
      metadata: {
        labels: { app: "notes", team: "notes" },
        annotations: { "release/id": "1", [DEFAULT_CONTAINER_ANNOTATION]: "app" },
      },
      spec: {
        restartPolicy: "Never",
        securityContext: { runAsUser: 1000, fsGroup: 2000, seccompProfile: { type: "Unconfined" } },
        tolerations: [{ key: "team" }],
        initContainers: [{ name: "proxy", image: "proxy:1", restartPolicy: "Always" }],
        containers: [
          { name: "log", image: "log:1" },
          {
            name: "app",
            image: "notes:1",
            args: ["--b"],
            env: [
              { name: "PORT", value: "3000" },
              { name: "LEVEL", value: "debug" },
              { name: "NEW", value: "1" },
            ],
            ports: [
              { name: "http", containerPort: 3000, hostPort: 80 },
              { name: "metrics", containerPort: 9000 },
            ],
            volumeMounts: [
              { name: "ca", mountPath: "/ca" },
              { name: "release", mountPath: "/release", readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: "ca", configMap: { name: "ca" } },
          { name: "release", emptyDir: {} },
        ],
      },
    });
  });

  test("changes nothing when there is none", () => {
    expect(withPodFragment(TEMPLATE, undefined)).toBe(TEMPLATE);
    expect(withPodFragment(TEMPLATE, {})).toEqual(TEMPLATE);
  });
});

/** Whether everything that the fragment says is so in the pod. */
function contains(pod: any, fragment: any): boolean {
  if (Array.isArray(fragment)) {
    const keyed = ["mountPath", "name"].find((key) => fragment.some((element) => element?.[key] !== undefined));
    if (keyed === undefined) return fragment.every((each, index) => contains(pod[index], each));
    return fragment.every((each) =>
      contains(
        pod.find((element: any) => element[keyed] === each[keyed]),
        each,
      ),
    );
  }
  if (typeof fragment === "object" && fragment !== null)
    return Object.entries(fragment).every(([key, value]) => contains(pod?.[key], value));
  return pod === fragment;
}

describe("whatever a fragment is,", () => {
  const always = (check: (fragment: any, other: any) => void) =>
    fc.assert(
      fc.property(fragments, fragments, (fragment, other) => {
        check(structuredClone(fragment), structuredClone(other));
      }),
    );

  test("Kubernetes' definitions take it", () => always((fragment) => expect(podMistakes(fragment)).toEqual([])));

  test("the pod has all that it says", () =>
    always((fragment) => expect(contains(withPodFragment(TEMPLATE, fragment), fragment)).toBe(true)));

  test("merging it a second time changes nothing", () =>
    always((fragment) => {
      const once = withPodFragment(TEMPLATE, fragment);
      expect(withPodFragment(once, fragment)).toEqual(once);
    }));

  test("neither the template nor the fragment is changed", () =>
    always((fragment) => {
      const before = structuredClone([TEMPLATE, fragment]);
      withPodFragment(TEMPLATE, fragment);
      expect([TEMPLATE, fragment]).toEqual(before);
    }));

  test("no container, variable, mount or volume of the template is lost", () =>
    always((fragment) => {
      const { spec } = withPodFragment(TEMPLATE, fragment);
      const app = spec.containers.find(({ name }) => name === "app")!;
      expect(app.env.map(({ name }) => name)).toEqual(expect.arrayContaining(["PORT", "LEVEL"]));
      expect(app.volumeMounts.map(({ mountPath }) => mountPath)).toContain("/release");
      expect(spec.volumes.map(({ name }) => name)).toContain("release");
    }));

  test("two fragments merged one after the other are the same as their merge", () =>
    always((fragment, other) => {
      const apart = withPodFragment(withPodFragment(TEMPLATE, fragment), other);
      const together = withPodFragment(TEMPLATE, withPodFragment(fragment, other));
      expect(contains(together, other)).toBe(true);
      expect(sorted(unmarked(apart))).toEqual(sorted(unmarked(together)));
    }));
});

/** The pod without the annotation that names its own container among several. */
function unmarked({ metadata: { annotations, ...metadata }, ...pod }: typeof TEMPLATE): object {
  const { [DEFAULT_CONTAINER_ANNOTATION]: _, ...others } = annotations as Record<string, string>;
  return { metadata: { ...metadata, annotations: others }, ...pod };
}

/** Elements that are new in both fragments come in another order. */
function sorted(value: any): any {
  if (Array.isArray(value)) {
    const list = value.map(sorted);
    const key = list.some((each) => each?.mountPath !== undefined) ? "mountPath" : "name";
    return list.some((each) => each?.[key] !== undefined)
      ? list.sort((a, b) => (String(a[key]) < String(b[key]) ? -1 : 1))
      : list;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, sorted(each)]));
}
