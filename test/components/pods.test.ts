import { beforeEach, describe, expect, test } from "vitest";
import { parseSettings, type Settings } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";
import { releasePods } from "../support/release-pods";

function settings(pods: { app?: object; workload?: object; migrations?: object }, migrations: object = {}): Settings {
  const worker = { kind: "worker", name: "mailer", pod: pods.workload };
  const cron = { kind: "cron", name: "digest", schedule: "@daily", pod: pods.workload };
  const parsed = parseSettings({
    app: { name: "notes", image: "notes:1", pod: pods.app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations", pod: pods.migrations, ...migrations },
    backup: { mode: "none" },
    policy: { backup: "optional" },
    workloads: [worker, cron],
  });
  if (!parsed.settings) throw new Error(parsed.problems.join("\n"));
  return parsed.settings;
}

let recorder: PulumiRecorder;
beforeEach(async () => {
  recorder = new PulumiRecorder();
  await recorder.start();
});

const podsOf = (of: Settings) => releasePods(recorder, { settings: of });

const FRAGMENT = {
  metadata: { labels: { team: "notes" } },
  spec: { tolerations: [{ key: "team", operator: "Exists" }] },
};
const JOBS = ["notes-preflight", "notes-migrate", "notes-contract"];

describe("the pods of a release", () => {
  test("have what app.pod says, in the app's pods only", async () => {
    const env = [{ name: "NODE_EXTRA_CA_CERTS", value: "/certs/ca.crt" }];
    const container = { name: "app", envFrom: [{ configMapRef: { name: "flags" } }], env };
    const pods = await podsOf(settings({ app: { ...FRAGMENT, spec: { ...FRAGMENT.spec, containers: [container] } } }));
    const { metadata, spec } = pods["notes"];
    expect(metadata.labels).toMatchObject({ team: "notes", "app.kubernetes.io/name": "notes" });
    expect(spec.tolerations).toEqual(FRAGMENT.spec.tolerations);
    expect(spec.containers).toHaveLength(1);
    expect(spec.containers[0]).toMatchObject({ image: "notes:1", envFrom: container.envFrom });
    expect(spec.containers[0].env.map(({ name }: any) => name)).toEqual([
      "NODE_EXTRA_CA_CERTS",
      "PORT",
      "DATABASE_URL",
    ]);
    for (const name of ["notes-mailer", "notes-digest", ...JOBS]) expect(pods[name].spec.tolerations).toBeUndefined();
  });

  test("have what workloads[].pod says, in the pods of a worker and of a cron job", async () => {
    const pods = await podsOf(settings({ workload: FRAGMENT }));
    for (const name of ["notes-mailer", "notes-digest"]) {
      expect(pods[name].spec.tolerations).toEqual(FRAGMENT.spec.tolerations);
      expect(pods[name].metadata.labels).toMatchObject(FRAGMENT.metadata.labels);
    }
    expect(pods["notes"].spec.tolerations).toBeUndefined();
  });

  test("have what migrations.pod says, in the pods of every Job, with a sidecar that ends with them", async () => {
    const proxy = { name: "proxy", image: "proxy:1", restartPolicy: "Always" };
    const spec = {
      ...FRAGMENT.spec,
      initContainers: [proxy],
      volumes: [{ name: "ca", secret: { secretName: "ca" } }],
      containers: [{ name: "migrator", volumeMounts: [{ name: "ca", mountPath: "/ca" }] }],
    };
    const pods = await podsOf(settings({ migrations: { ...FRAGMENT, spec } }));
    for (const name of JOBS) {
      const pod = pods[name];
      expect(pod.spec).toMatchObject({ tolerations: FRAGMENT.spec.tolerations, restartPolicy: "Never" });
      expect(pod.spec.initContainers).toEqual([proxy]);
      expect(pod.spec.containers[0].volumeMounts.map(({ mountPath }: any) => mountPath)).toEqual(["/ca", "/release"]);
      expect(pod.spec.volumes.map((each: any) => each.name)).toEqual(["ca", "release"]);
    }
    expect(pods["notes"].spec.tolerations).toBeUndefined();
  });
});

describe("the Jobs' pods", () => {
  const ISTIO = { "sidecar.istio.io/inject": "false" };
  const LINKERD = { "linkerd.io/inject": "disabled" };

  test("are left alone by autoscalers of nodes and by every mesh, and kubectl shows the migrator's log", async () => {
    const pods = await podsOf(settings({}));
    for (const name of JOBS) {
      expect(pods[name].metadata.labels).toMatchObject(ISTIO);
      expect(pods[name].metadata.annotations).toMatchObject({
        ...LINKERD,
        "karpenter.sh/do-not-disrupt": "true",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "kubectl.kubernetes.io/default-container": "migrator",
      });
    }
    expect(pods["notes"].metadata.labels).not.toMatchObject(ISTIO);
  });

  test.each([
    ["istio", true, false],
    ["linkerd", false, true],
    ["none", false, false],
  ] as const)("are told to stay out of the mesh %s alone", async (mesh, istio, linkerd) => {
    const { metadata } = (await podsOf(settings({}, { mesh })))["notes-migrate"];
    expect("sidecar.istio.io/inject" in metadata.labels).toBe(istio);
    expect("linkerd.io/inject" in metadata.annotations).toBe(linkerd);
  });

  test("may be put into a mesh by their fragment", async () => {
    const pod = { metadata: { labels: { "sidecar.istio.io/inject": "true" } } };
    const { metadata } = (await podsOf(settings({ migrations: pod })))["notes-migrate"];
    expect(metadata.labels["sidecar.istio.io/inject"]).toBe("true");
  });
});
