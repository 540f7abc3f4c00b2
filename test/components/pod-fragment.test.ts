import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withPodFragment } from "../../components/pod-fragment";
import { podMistakes } from "../../settings/pod/mistakes";

const TEMPLATE = {
  metadata: { labels: { app: "notes" }, annotations: { "release/id": "1" } },
  spec: {
    restartPolicy: "Never",
    securityContext: { runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "app",
        image: "notes:1",
        args: ["--a"],
        env: [
          { name: "PORT", value: "3000" },
          { name: "LEVEL", value: "info" },
        ],
        ports: [{ name: "http", containerPort: 3000 }],
        volumeMounts: [{ name: "release", mountPath: "/release", readOnly: true }],
      },
    ],
    volumes: [{ name: "release", emptyDir: {} }],
  },
};

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
      metadata: { labels: { app: "notes", team: "notes" }, annotations: { "release/id": "1" } },
      spec: {
        restartPolicy: "Never",
        securityContext: { runAsUser: 1000, fsGroup: 2000, seccompProfile: { type: "Unconfined" } },
        tolerations: [{ key: "team" }],
        initContainers: [{ name: "proxy", image: "proxy:1", restartPolicy: "Always" }],
        containers: [
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
              { name: "release", mountPath: "/release", readOnly: true },
              { name: "ca", mountPath: "/ca" },
            ],
          },
          { name: "log", image: "log:1" },
        ],
        volumes: [
          { name: "release", emptyDir: {} },
          { name: "ca", configMap: { name: "ca" } },
        ],
      },
    });
  });

  test("changes nothing when there is none", () => {
    expect(withPodFragment(TEMPLATE, undefined)).toBe(TEMPLATE);
    expect(withPodFragment(TEMPLATE, {})).toEqual(TEMPLATE);
  });
});

const words = fc.constantFrom("a", "b", "app", "release");
const named = <T extends Record<string, fc.Arbitrary<unknown>>>(key: string, fields: T) =>
  fc.uniqueArray(fc.record({ ...fields, [key]: words }, { requiredKeys: [key] }) as fc.Arbitrary<Record<string, any>>, {
    selector: (each) => each[key],
  });
const containers = named("name", {
  image: words,
  args: fc.array(words),
  env: named("name", { value: words }),
  volumeMounts: named("mountPath", { name: words }).map((mounts) => mounts.map((each) => ({ name: "a", ...each }))),
  securityContext: fc.record({ privileged: fc.boolean(), runAsUser: fc.nat() }, { requiredKeys: [] }),
});
/** Fragments of every shape that matters to a merge; each of them is right by Kubernetes' definitions. */
const fragments = fc.record(
  {
    metadata: fc.record({ labels: fc.dictionary(words, words), annotations: fc.dictionary(words, words) }),
    spec: fc.record(
      {
        containers,
        initContainers: containers,
        volumes: named("name", { emptyDir: fc.record({ medium: words }, { requiredKeys: [] }) }),
        tolerations: fc.array(fc.record({ key: words })),
        nodeSelector: fc.dictionary(words, words),
        imagePullSecrets: named("name", {}),
        securityContext: fc.record({ fsGroup: fc.nat() }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

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

  test("no container, variable, mount or volume of the template is lost, and each keeps its place", () =>
    always((fragment) => {
      const { spec } = withPodFragment(TEMPLATE, fragment);
      expect(spec.containers[0]).toMatchObject({ name: "app" });
      expect(spec.containers[0]!.env.slice(0, 2).map(({ name }) => name)).toEqual(["PORT", "LEVEL"]);
      expect(spec.volumes[0]).toMatchObject({ name: "release" });
    }));

  test("two fragments merged one after the other are the same as their merge", () =>
    always((fragment, other) => {
      const apart = withPodFragment(withPodFragment(TEMPLATE, fragment), other);
      const together = withPodFragment(TEMPLATE, withPodFragment(fragment, other));
      expect(contains(together, other)).toBe(true);
      expect(sorted(apart)).toEqual(sorted(together));
    }));
});

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
