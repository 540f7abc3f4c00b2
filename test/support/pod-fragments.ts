import fc from "fast-check";

/** A pod template such as the program makes. */
export const TEMPLATE = {
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
export const fragments = fc.record(
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
