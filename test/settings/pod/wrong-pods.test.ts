import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseSettings } from "../../../settings/parse";

const GOOD = {
  app: { name: "notes", image: "notes:1", env: { LOG_LEVEL: "info" } },
  database: { identifier: "notes-db", secret: { name: "notes-database" } },
  migrations: { directory: "migrations" },
  workloads: [{ kind: "worker", name: "mailer", env: { QUEUE: "mail" } }],
};

/** The messages about a fragment, written as in a file of settings, in one of the places that have one. */
function problems(place: "app" | "migrations" | "workload", yaml: string, more: object = {}): string[] {
  const pod = parse(yaml);
  const raw: Record<string, any> = structuredClone({ ...GOOD, ...more });
  const section = place === "workload" ? raw["workloads"][0] : raw[place];
  section.pod = pod;
  return parseSettings(raw).problems;
}

/** Place, fragment, and the end or the whole of the one message about it. */
const WRONG: [place: "app" | "migrations" | "workload", yaml: string, message: string][] = [
  ["app", "[]", "app.pod is []; it must be a group of keys"],
  ["app", "{metadata: {name: x}}", "unknown setting app.pod.metadata.name; no PodFragmentMetadata has it"],
  [
    "app",
    "{metadata: {labels: {team: true}}}",
    "app.pod.metadata.labels.team is true; it must be a text, in quotes if",
  ],
  ["app", "{metadata: {labels: {app.kubernetes.io/name: x}}}", "left out: the release finds its pods by this label"],
  ["app", "{metadata: {annotations: {release/id: x}}}", "left out: it names the release that the pod runs"],
  ["app", "{specs: {}}", "unknown setting app.pod.specs; did you mean app.pod.spec?"],
  [
    "app",
    "{spec: {toleration: []}}",
    "unknown setting app.pod.spec.toleration; did you mean app.pod.spec.tolerations? no PodSpec has it in Kubernetes 1.",
  ],
  ["app", "{spec: {tolerations: {key: a}}}", "app.pod.spec.tolerations is (not shown); it must be a list"],
  [
    "app",
    "{spec: {tolerations: [{key: a, effect: NoShedule}]}}",
    'app.pod.spec.tolerations.0.effect is "NoShedule"; it must be "NoSchedule" or "PreferNoSchedule" or "NoExecute"',
  ],
  ["app", "{spec: {tolerations: [{tolerationSeconds: 5m}]}}", 'is "5m"; it must be a whole number'],
  ["app", "{spec: {nodeSelector: {zone: 1}}}", "app.pod.spec.nodeSelector.zone is 1; it must be a text, in quotes"],
  ["app", "{spec: {volumes: [{emptyDir: {}}]}}", "app.pod.spec.volumes.0.name is missing; it must be a text"],
  [
    "app",
    "{spec: {volumes: [{name: a, emptyDir: }]}}",
    "emptyDir is null; it must be a group of keys, {} if it is empty",
  ],
  [
    "app",
    "{spec: {volumes: [{name: a, emptyDir: {sizeLimit: a lot}}]}}",
    'sizeLimit is "a lot"; it must be a quantity such as 250m, 1.5, 128Mi or 1Gi',
  ],
  [
    "app",
    "{spec: {volumes: [{name: a, configMap: {name: a}}, {name: a, secret: {secretName: a}}]}}",
    'app.pod.spec.volumes.1.name is "a"; it must be different from that of the elements before it',
  ],
  [
    "app",
    "{spec: {volumes: [{name: release, emptyDir: {}}]}}",
    "named differently: the release has a volume of this name",
  ],
  ["app", "{spec: {restartPolicy: Never}}", "left out: the pods of a Deployment are always restarted"],
  ["app", "{spec: {activeDeadlineSeconds: 60}}", "left out: the pods of a Deployment have no deadline"],
  ["app", "{spec: {serviceAccountName: notes}}", "left out: set app.serviceAccount"],
  ["app", "{spec: {terminationGracePeriodSeconds: 60}}", "left out: set app.terminationGrace"],
  ["app", "{spec: {securityContext: {runAsUser: 0}}}", "left out: set app.runAsUser"],
  ["app", "{spec: {securityContext: {fsGroup: notes}}}", 'fsGroup is "notes"; it must be a whole number'],
  ["app", "{spec: {ephemeralContainers: []}}", "unknown setting app.pod.spec.ephemeralContainers"],
  ["app", "{spec: {$patch: replace}}", "unknown setting app.pod.spec.$patch"],
  ["app", "{spec: {containers: [{image: a}]}}", "app.pod.spec.containers.0.name is missing; it must be a text"],
  [
    "app",
    "{spec: {containers: [{name: app, image: a}]}}",
    'containers.0.image is "a"; it must be left out: set app.image',
  ],
  ["app", "{spec: {containers: [{name: app, args: [a]}]}}", "left out: set app.args"],
  ["app", "{spec: {containers: [{name: app, resources: {}}]}}", "left out: set app.resources"],
  ["app", "{spec: {containers: [{name: app, ports: [{containerPort: 3000}]}]}}", "left out: it is the port of the app"],
  ["app", "{spec: {containers: [{name: app, env: [{name: PORT, value: '1'}]}]}}", "left out: set app.port"],
  [
    "app",
    "{spec: {containers: [{name: app, env: [{name: DATABASE_URL, value: x}]}]}}",
    "it is set from the settings in database",
  ],
  [
    "app",
    "{spec: {containers: [{name: app, env: [{name: LOG_LEVEL, value: x}]}]}}",
    "left out: app.env sets it already",
  ],
  ["app", "{spec: {containers: [{name: app, env: {A: b}}]}}", 'containers.0.env is {"A":"b"}; it must be a list'],
  [
    "app",
    "{spec: {containers: [{name: app, env: [{name: A, value: 5}]}]}}",
    "value is 5; it must be a text, in quotes",
  ],
  ["app", "{spec: {containers: [{name: app, lifecycle: {preStop: {}}}]}}", "left out: set app.preStop"],
  ["app", "{spec: {containers: [{name: app, readinessProbe: {exec: {}}}]}}", "left out: set app.healthPath"],
  ["app", "{spec: {containers: [{name: app, livenessProbe: {httpGet: {port: 1}}}]}}", "left out: set app.livenessPath"],
  [
    "app",
    "{spec: {containers: [{name: app, startupProbe: {failureThreshold: 9}}]}}",
    "left out: set app.startupTimeout",
  ],
  [
    "app",
    "{spec: {containers: [{name: ap, envFrom: []}]}}",
    "app.pod.spec.containers.0.image is missing; it must be an image, because the pod's own container is named app",
  ],
  [
    "app",
    "{spec: {containers: [{name: app, volumeMounts: [{name: certs, mountPath: /certs}]}]}}",
    'is "certs"; it must be the name of one of the volumes in spec.volumes of the same fragment',
  ],
  [
    "app",
    "{spec: {containers: [{name: app, env: [{name: STRIPE_API_KEY, value: c2VjcmV0}]}]}}",
    'app.pod.spec.containers.0.env.0.value holds the value of a secret; no password in plain text: put it into a Secret and refer to it, valueFrom: {secretKeyRef: {name: "…", key: "…"}}',
  ],
  ["workload", "{spec: {restartPolicy: Never}}", "workloads.0.pod.spec.restartPolicy is"],
  ["workload", "{spec: {containers: [{name: mailer, command: [a]}]}}", "left out: set workloads[].command"],
  ["workload", "{spec: {containers: [{name: mailer, env: [{name: QUEUE}]}]}}", "left out: env sets it already"],
  ["workload", "{spec: {containers: [{name: app}]}}", "because the pod's own container is named mailer"],
  ["migrations", "{spec: {restartPolicy: OnFailure}}", "left out: a failed migration is not started again by itself"],
  ["migrations", "{spec: {activeDeadlineSeconds: 60}}", "left out: set migrations.deadline"],
  ["migrations", "{spec: {terminationGracePeriodSeconds: 5}}", "the migrator rolls back within its own 30 s"],
  ["migrations", "{spec: {serviceAccount: x}}", "left out: set migrations.serviceAccount"],
  ["migrations", "{spec: {containers: [{name: migrator, image: x}]}}", "left out: set migrations.image"],
  [
    "migrations",
    "{spec: {containers: [{name: migrator, command: [x]}]}}",
    "the release decides what the migrator does",
  ],
  [
    "migrations",
    "{spec: {containers: [{name: migrator, livenessProbe: {}}]}}",
    "a probe would end a migration that waits",
  ],
  [
    "migrations",
    "{spec: {containers: [{name: migrator, terminationMessagePolicy: File}]}}",
    "the migrator's last lines",
  ],
  ["app", "{spec: {initContainers: [{name: schema-gate, image: x}]}}", "app.schemaGate adds an init container"],
  ["app", "{spec: {volumes: [{name: schema-gate, emptyDir: {}}]}}", "the release has a volume of this name"],
  ["migrations", "{spec: {containers: [{name: migrator, env: [{name: RELEASE_ID}]}]}}", "it is the id of the release"],
  [
    "migrations",
    "{spec: {containers: [{name: migrator, env: [{name: DATABASE_URL}]}]}}",
    "set from the settings in database",
  ],
  [
    "migrations",
    "{spec: {volumes: [{name: a, emptyDir: {}}], containers: [{name: migrator, volumeMounts: [{name: a, mountPath: /release/}]}]}}",
    'mountPath is "/release/"; it must be a path outside of /release, which the migrator needs',
  ],
  [
    "migrations",
    "{spec: {containers: [{name: proxy, image: proxy:1}]}}",
    'is "proxy"; it must be "migrator"; a container beside it would keep the Job from ending, so put a sidecar into spec.initContainers with restartPolicy: Always',
  ],
  [
    "migrations",
    "{spec: {initContainers: [{name: proxy, restartPolicy: Always}]}}",
    "image is missing; it must be an image",
  ],
];

describe("a fragment of a pod template", () => {
  test.each(WRONG)("of %s with %s is refused by one message", (place, yaml, message) => {
    const said = problems(place, yaml);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(message);
  });

  test("with several mistakes is refused by all of them at once", () => {
    expect(problems("app", "{spec: {tolerationz: [], nodeSelector: {a: 1}}, metadata: {uid: x}}")).toHaveLength(3);
    const said = problems("app", "{spec: {restartPolicy: Never, containers: [{name: app, image: x, command: [y]}]}}");
    expect(said.map((line) => line.split(" ")[0])).toEqual([
      "app.pod.spec.restartPolicy",
      "app.pod.spec.containers.0.image",
      "app.pod.spec.containers.0.command",
    ]);
  });

  test("must name added images by their digest where the others are", () => {
    const app = { ...GOOD.app, image: `notes@sha256:${"a".repeat(64)}` };
    const more = { app, policy: { pinnedImages: true }, workloads: [] };
    expect(problems("app", "{spec: {initContainers: [{name: a, image: 'a:1'}]}}", more).join("\n")).toContain(
      'app.pod.spec.initContainers.0.image is "a:1"; it must be an image pinned by its digest',
    );
  });

  test("of the Job of the app's own command leaves its variables and its writable folder alone", () => {
    const more = {
      migrations: { directory: "migrations", runner: "command", env: { A: "1" } },
      database: { ...GOOD.database, env: "NOTES_URL" },
    };
    const container = (fields: string) => `{spec: {containers: [{name: migrator, ${fields}}]}}`;
    for (const name of ["A", "HOME", "DIRECT_URL", "NOTES_URL"])
      expect(problems("migrations", container(`env: [{name: ${name}, value: x}]`), more), name).toHaveLength(1);
    const mounted = container("volumeMounts: [{name: writable, mountPath: /tmp}]");
    expect(problems("migrations", mounted, more).join("\n")).toContain("a path outside of /release and /tmp");
    expect(problems("migrations", container("volumeMounts: [{name: writable, mountPath: /cache}]"), more)).toEqual([]);
  });
});

describe("a right fragment of a pod template", () => {
  const RIGHT = `
metadata:
  labels: { team: notes }
  annotations: { prometheus.io/scrape: "true" }
spec:
  nodeSelector: { pool: apps }
  tolerations: [{ key: team, operator: Equal, value: notes, effect: NoSchedule }]
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: zone }] } }
  imagePullSecrets: [{ name: registry }]
  priorityClassName: high
  runtimeClassName: gvisor
  hostAliases: [{ ip: 10.0.0.1, hostnames: [db.internal] }]
  dnsConfig: { options: [{ name: ndots, value: "2" }] }
  securityContext: { fsGroup: 2000, supplementalGroups: [3000] }
  volumes: [{ name: ca, configMap: { name: company-ca } }, { name: cache, emptyDir: { sizeLimit: 1Gi } }]
  initContainers: [{ name: proxy, image: "proxy:1", restartPolicy: Always, ports: [{ containerPort: 5432 }] }]
`;
  const container = (name: string) => `
  containers:
    - name: ${name}
      envFrom: [{ configMapRef: { name: flags }, prefix: FLAG_ }]
      env: [{ name: NODE_EXTRA_CA_CERTS, value: /certs/ca.crt }, { name: IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }]
      volumeMounts: [{ name: ca, mountPath: /certs, readOnly: true }]
`;

  test.each([
    ["app", "app"],
    ["workload", "mailer"],
    ["migrations", "migrator"],
  ] as const)("is taken for %s", (place, name) => {
    expect(problems(place, RIGHT + container(name))).toEqual([]);
  });

  test("of the app may have a sidecar among its containers", () => {
    expect(problems("app", "{spec: {containers: [{name: proxy, image: 'proxy:1'}]}}")).toEqual([]);
  });
});
