import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../../../local/cloud/kubernetes/object";
import { startOf, waitUntil } from "../../../../local/cloud/process";
import { job, TestCluster } from "./cluster";

describe("a Job", () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.end());

  const run = async (object: KubernetesObject) => cluster.awaitReady(await cluster.apply(object));
  const conditions = (object: KubernetesObject | undefined) =>
    ((object?.["status"]?.conditions ?? []) as { type: string; status: string; reason?: string }[])
      .filter(({ status }) => status === "True")
      .map(({ type, reason }) => (reason ? `${type} ${reason}` : type));

  test("that ends with 0 is complete, and its log can be read", async () => {
    const result = await run(job("fine", "echo done; exit 0"));
    expect(result.outcome).toBe("ready");
    expect(conditions(result.object)).toEqual(["Complete"]);
    expect(result.object?.["status"]).toMatchObject({ succeeded: 1 });
    expect(cluster.log(cluster.pods()[0]!)).toBe("done\n");
  });

  test("that fails shows the last lines of its log", async () => {
    const result = await run(job("broken", 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "line $i"; done; exit 3'));
    expect(result.outcome).toBe("failed");
    expect(conditions(result.object)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    const [pod] = cluster.pods();
    const told = result.reasons.find((reason) => reason.includes("line 200"))!;
    expect(told).toMatch(new RegExp(`^\\[Pod ${pod!.metadata.name}\\]: \\[Error\\] line 121\nline 122\n`));
    expect(result.reasons.at(-1)).toBe("[BackoffLimitExceeded] Job has reached the specified backoff limit");
    expect(pod!.status?.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
  });

  test("shows at most 2048 bytes of its log", async () => {
    const result = await run(job("wordy", "yes 'a long line of many words' | head -n 500; echo the end; exit 1"));
    const message = cluster.pods()[0]!.status?.containerStatuses?.[0]?.state.terminated?.message ?? "";
    expect(Buffer.byteLength(message)).toBe(2048);
    expect(message).toMatch(/the end\n$/);
    expect(result.outcome).toBe("failed");
  });

  test("is not run a second time when it is applied again while it runs", async () => {
    const object = job("long", "echo started; while :; do sleep 0.1; done");
    const first = await cluster.apply(object);
    await cluster.until(() => cluster.log(cluster.pods()[0]!) === "started\n", "the pod starts");
    const second = await cluster.apply(object);
    expect(second.metadata.uid).toBe(first.metadata.uid);
    expect(cluster.pods()).toHaveLength(1);
    expect(cluster.log(cluster.pods()[0]!)).toBe("started\n");
  });

  test("can't be given another pod under the same name", async () => {
    await cluster.apply(job("same", "exit 0"));
    await expect(cluster.apply(job("same", "exit 1"))).rejects.toThrow(
      /Job.batch "same" is invalid: spec.template: .*field is immutable/,
    );
  });

  test("is gone from the API only when its process is really dead", async () => {
    const pidFile = join(cluster.cloudDir, "pid");
    const stubborn = `trap 'echo asked' TERM; echo $$ > '${pidFile}'; while :; do sleep 0.1; done`;
    const object = await cluster.apply(job("stubborn", stubborn, {}, {}, { terminationGracePeriodSeconds: 1 }));
    await cluster.until(() => readFileSync(pidFile, "utf8").endsWith("\n"), "the process tells its pid");
    const pid = Number(readFileSync(pidFile, "utf8"));
    const deleted = cluster.delete(object);
    let alive: boolean | undefined;
    await waitUntil(() => {
      if (cluster.get(object)) return false;
      alive = startOf(pid) !== undefined;
      return true;
    }, 20_000);
    await deleted;
    expect(alive).toBe(false);
    expect(cluster.pods()).toEqual([]);
  });

  test("of the same name starts only after the old one's process has ended", async () => {
    const file = join(cluster.cloudDir, "running");
    const exclusive = `if [ -e '${file}' ]; then echo overlap; exit 1; fi; touch '${file}'; trap 'sleep 0.5; rm "${file}"; exit 0' TERM; while :; do sleep 0.05; done`;
    const object = await cluster.apply(job("one", exclusive));
    await cluster.until(() => existsSync(file), "the first one runs");
    const deletion = cluster.delete(object);
    const second = await cluster.apply(job("one", exclusive), "create");
    await deletion;
    expect(second.metadata.uid).not.toBe(object.metadata.uid);
    await cluster.until(() => existsSync(file), "the second one runs");
    expect(cluster.log(cluster.pods()[0]!)).not.toContain("overlap");
  });

  test("that takes its children along leaves none behind", async () => {
    const pidFile = join(cluster.cloudDir, "child");
    const object = await cluster.apply(job("parent", `sleep 1000 & echo $! > '${pidFile}'; exit 0`));
    expect((await cluster.awaitReady(object)).outcome).toBe("ready");
    expect(startOf(Number(readFileSync(pidFile, "utf8")))).toBeUndefined();
  });

  test("that takes too long is ended, says so, and shows its last words", async () => {
    const script = "trap 'echo rolled back; exit 1' TERM; echo working; while :; do sleep 0.05; done";
    const result = await run(job("late", script, { activeDeadlineSeconds: 3 }));
    expect(result.outcome).toBe("failed");
    expect(conditions(result.object)).toContain("Failed DeadlineExceeded");
    expect(result.reasons.at(-1)).toBe("[DeadlineExceeded] Job was active longer than specified deadline");
    expect(result.reasons.join("\n")).toContain("[Error] working\nrolled back");
    expect(cluster.processes()).toEqual([]);
  });

  test("whose image is nowhere is bounded by its deadline", async () => {
    const result = await run(
      job("absent", "", { activeDeadlineSeconds: 1 }, { image: "registry.example/team/nowhere:1" }),
    );
    expect(result.outcome).toBe("failed");
    expect(result.reasons.join("\n")).toContain("ErrImagePull");
    expect(result.reasons.at(-1)).toContain("[DeadlineExceeded]");
  });

  test("tries again as often as it may", async () => {
    const file = join(cluster.cloudDir, "tries");
    const result = await run(job("again", `echo x >> '${file}'; [ $(wc -l < '${file}') -ge 3 ]`, { backoffLimit: 3 }));
    expect(result.outcome).toBe("ready");
    expect(result.object?.["status"]).toMatchObject({ failed: 2, succeeded: 1 });
  });

  test("waits for a Secret that is not there yet", async () => {
    const env = [{ name: "WORD", valueFrom: { secretKeyRef: { name: "later", key: "word" } } }];
    const object = await cluster.apply(job("patient", '[ "$WORD" = sesame ]', {}, { env }));
    await cluster.until(
      () => cluster.pods()[0]?.status?.containerStatuses?.[0]?.state.waiting?.reason === "CreateContainerConfigError",
      "the pod says what it misses",
    );
    expect(cluster.pods()[0]?.status?.containerStatuses?.[0]?.state.waiting?.message).toBe('secret "later" not found');
    await cluster.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "later" },
      stringData: { word: "sesame" },
    });
    expect((await cluster.awaitReady(object)).outcome).toBe("ready");
  });

  test("that was running when the cluster was lost has failed, and does not run twice", async () => {
    const file = join(cluster.cloudDir, "starts");
    const object = await cluster.apply(job("lost", `echo start >> '${file}'; while :; do sleep 0.05; done`));
    await cluster.until(() => existsSync(file), "it runs");
    await cluster.restart();
    const result = await cluster.awaitReady(object);
    expect(result.outcome).toBe("failed");
    expect(readFileSync(file, "utf8")).toBe("start\n");
    expect(cluster.processes()).toEqual([]);
  });

  test("finds its files at their mount paths, also in a shell's text", async () => {
    await cluster.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "files" },
      data: { "word.txt": "hello" },
      binaryData: { bytes: Buffer.from([0, 255]).toString("base64") },
    });
    await cluster.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keys" },
      stringData: { key: "canary-in-a-volume" },
    });
    const volumes = [
      { name: "release", projected: { sources: [{ configMap: { name: "files" } }] } },
      { name: "keys", secret: { secretName: "keys" } },
      { name: "scratch", emptyDir: {} },
    ];
    const volumeMounts = [
      { name: "release", mountPath: "/release" },
      { name: "keys", mountPath: "/release/keys" },
      { name: "scratch", mountPath: "/tmp/scratch" },
    ];
    const script = `set -e; cat /release/word.txt; [ "$(cat "$FILE")" = hello ]; grep -q canary /release/keys/key; [ "$(stat -L -c %a /release/keys/key)" = 600 ]; echo ok > /tmp/scratch/x; cat /tmp/scratch/x; [ $(wc -c < /release/bytes) = 2 ]; echo /released`;
    const container = { volumeMounts, env: [{ name: "FILE", value: "/release/word.txt" }] };
    const result = await run(job("mounts", script, {}, container, { volumes }));
    expect(result.reasons).toEqual([]);
    expect(result.outcome).toBe("ready");
    expect(cluster.log(cluster.pods()[0]!)).toBe("hellook\n/released\n");
    // What a Secret's volume held is gone with the pod's end.
    expect(existsSync(join(cluster.cloudDir, "kubernetes/secrets/_mounted"))).toBe(true);
    await cluster.until(
      () => !grep(join(cluster.cloudDir, "kubernetes/secrets/_mounted"), "canary"),
      "the mounted secret is removed",
    );
  });

  test("runs its init containers first, one after the other", async () => {
    const initContainers = ["a", "b"].map((name) => ({
      name,
      image: "shell",
      args: [`echo ${name} >> '${cluster.cloudDir}/order'`],
    }));
    const result = await run(job("ordered", `cat '${cluster.cloudDir}/order'`, {}, {}, { initContainers }));
    expect(result.outcome).toBe("ready");
    expect(cluster.log(cluster.pods()[0]!)).toBe("a\nb\n");
  });

  test("ends its native sidecars when its own containers have ended", async () => {
    const order = `${cluster.cloudDir}/order`;
    const initContainers = [
      {
        name: "proxy",
        image: "shell",
        restartPolicy: "Always",
        args: [
          `trap 'echo proxy ends >> "${order}"; exit 0' TERM; echo proxy >> '${order}'; while :; do sleep 0.1; done`,
        ],
      },
      {
        name: "after",
        image: "shell",
        args: [`until grep -q proxy '${order}'; do sleep 0.1; done; echo after >> '${order}'`],
      },
    ];
    const result = await run(job("beside", `echo main >> '${order}'`, {}, {}, { initContainers }));
    expect(result.outcome).toBe("ready");
    expect(readFileSync(order, "utf8")).toBe("proxy\nafter\nmain\nproxy ends\n");
  });

  test("takes whole Secrets and ConfigMaps into its environment, and does without optional ones", async () => {
    await cluster.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "map" },
      data: { A: "from map", B: "b" },
    });
    await cluster.apply({ apiVersion: "v1", kind: "Secret", metadata: { name: "keys" }, stringData: { KEY: "k" } });
    const envFrom = [
      { configMapRef: { name: "map" } },
      { prefix: "P_", secretRef: { name: "keys" } },
      { secretRef: { name: "absent", optional: true } },
    ];
    const configMapKeyRef = { name: "map", key: "absent", optional: true };
    const env = [
      { name: "A", value: "own" },
      { name: "NONE", valueFrom: { configMapKeyRef } },
    ];
    await run(job("whole", 'echo "$A,$B,$P_KEY"; env | grep ^NONE= || echo unset', {}, { env, envFrom }));
    expect(cluster.log(cluster.pods()[0]!)).toBe("own,b,k\nunset\n");
  });

  test("gets what it declares, the search path and the limit to 127.0.0.1, and nothing else of this machine", async () => {
    process.env["A_SECRET_OF_THIS_MACHINE"] = "canary";
    const env = [
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "SPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "BOTH", value: "$(SPACE)/$(POD)" },
    ];
    try {
      await run(job("clean", "env | grep -v -e ^PWD -e ^SHLVL -e ^_= -e ^OLDPWD | sort", {}, { env }));
    } finally {
      delete process.env["A_SECRET_OF_THIS_MACHINE"];
    }
    const [pod] = cluster.pods();
    const name = pod!.metadata.name;
    const lines = cluster
      .log(pod!)
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("PATH="));
    expect(lines).toEqual([
      `BOTH=default/${name}`,
      `HOSTNAME=${name}`,
      "IP=127.0.0.1",
      expect.stringMatching(/^NODE_OPTIONS=--require "[^"]*loopback\.cjs"$/),
      `POD=${name}`,
      "SPACE=default",
    ]);
  });
});

function grep(folder: string, text: string): boolean {
  return readdirSync(folder).some((entry) => {
    const path = join(folder, entry);
    return statSync(path).isDirectory() ? grep(path, text) : readFileSync(path, "utf8").includes(text);
  });
}
