import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connect, running, stopCloud } from "../../../local/cloud/client";
import type { DaemonRecord } from "../../../local/cloud/daemon";
import { readDefect } from "../../../local/cloud/defect";
import { describeProcess, isRunning, type ProcessRecord, waitUntil } from "../../../local/cloud/process";
import { processesNaming } from "./processes-naming";

const CONFIG_MAP = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kept" }, data: { key: "value" } };

describe("the background process of a local cloud", () => {
  let cloudDir: string;

  beforeEach(() => {
    cloudDir = join(mkdtempSync(join(tmpdir(), "a cloud with spaces ")), "cloud");
  });

  afterEach(async () => {
    await stopCloud(cloudDir);
    rmSync(join(cloudDir, ".."), { recursive: true, force: true });
  });

  const record = () => JSON.parse(readFileSync(join(cloudDir, "daemon.json"), "utf8")) as DaemonRecord;

  const processesOfThisCloud = () => processesNaming(cloudDir);

  test("answers the first call soon after nothing ran", async () => {
    const began = performance.now();
    const client = await connect(cloudDir);
    expect(await client.call("kubernetes.list", { group: "", kind: "ConfigMap" })).toEqual([]);
    // Measured 0.25 s on an idle machine, 1.5 s with eight times more to do than it has processors for.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("is one process, however many callers start it at once", async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => connect(cloudDir)));
    await Promise.all(
      clients.map((client, i) =>
        client.call("kubernetes.apply", { object: { ...CONFIG_MAP, metadata: { name: `from-${i}` } } }),
      ),
    );
    const { pid } = record();
    expect(await clients[0]!.call("kubernetes.list", { group: "", kind: "ConfigMap" })).toHaveLength(12);
    expect(await waitUntil(() => processesOfThisCloud().join() === String(pid), 10_000)).toBe(true);
  });

  test("is one process when whole commands race for it", async () => {
    const script = `require(${JSON.stringify(join(__dirname, "../../../local/cloud/client.ts"))}).connect(process.argv[1])
      .then((client) => client.call("kubernetes.list", { group: "", kind: "Pod" })).then(() => process.exit(0))`;
    const codes = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), "-e", script, cloudDir]);
        return new Promise((ended) => child.once("exit", ended));
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    const { pid } = record();
    expect(await waitUntil(() => processesOfThisCloud().join() === String(pid), 10_000)).toBe(true);
  });

  test("comes back with everything it knew after kill -9", async () => {
    await (await connect(cloudDir)).call("kubernetes.apply", { object: CONFIG_MAP });
    const first = record();
    process.kill(first.pid, "SIGKILL");
    const client = await connect(cloudDir);
    expect(record().pid).not.toBe(first.pid);
    const reference = { group: "", kind: "ConfigMap", namespace: "default", name: "kept" };
    expect(await client.call("kubernetes.get", reference)).toMatchObject({ data: { key: "value" } });
  });

  test("reports a call that was cut off by kill -9, and what to do", async () => {
    const client = await connect(cloudDir);
    process.kill(record().pid, "SIGKILL");
    await expect(client.call("kubernetes.list", { group: "", kind: "Pod" })).rejects.toThrow(
      /Run the same command again/,
    );
  });

  test("does not touch a stranger that got the pid of a dead one", async () => {
    await connect(cloudDir);
    const old = record();
    const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
    try {
      const self = describeProcess(stranger.pid!)!;
      expect(self.started).not.toBe(old.started);
      process.kill(old.pid, "SIGKILL");
      const claim = { ...old, pid: stranger.pid };
      writeFileSync(join(cloudDir, "daemon.json"), JSON.stringify(claim));
      for (const lock of readdirSync(cloudDir).filter((name) => name.startsWith("daemon.lock."))) {
        writeFileSync(join(cloudDir, lock), JSON.stringify({ ...claim, purpose: "daemon" }));
      }
      expect(await running(cloudDir)).toBe(false);
      await stopCloud(cloudDir);
      expect(isRunning(self)).toBe(true);
      await connect(cloudDir);
      expect(record().pid).not.toBe(stranger.pid);
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  test("lets nobody in without the token, which only its owner can read", async () => {
    await connect(cloudDir);
    const { port } = record();
    const answer = await fetch(`http://127.0.0.1:${port}/call/kubernetes.list`, {
      method: "POST",
      headers: { authorization: "Bearer guess" },
      body: "{}",
    });
    expect(answer.status).toBe(403);
    expect(statSync(join(cloudDir, "daemon.json")).mode & 0o777).toBe(0o600);
  });

  test("keeps nothing of the command's environment", async () => {
    process.env["A_PASSPHRASE"] = "canary";
    try {
      await connect(cloudDir);
      expect(environmentOf(record().pid)).toContain("PATH=");
      expect(environmentOf(record().pid)).not.toContain("canary");
    } finally {
      delete process.env["A_PASSPHRASE"];
    }
  });

  test("is gone after stopCloud, and starts again when asked", async () => {
    await connect(cloudDir);
    const first: ProcessRecord = record();
    await stopCloud(cloudDir);
    expect(isRunning(first)).toBe(false);
    expect(await running(cloudDir)).toBe(false);
    expect(processesOfThisCloud()).toEqual([]);
    await connect(cloudDir);
    expect(await running(cloudDir)).toBe(true);
  });

  test("is stopped also when it hangs", async () => {
    await connect(cloudDir);
    const first: ProcessRecord = record();
    process.kill(first.pid, "SIGSTOP");
    await stopCloud(cloudDir);
    expect(isRunning(first)).toBe(false);
  });

  test("can be stopped twice at once, and when it was never there", async () => {
    await stopCloud(cloudDir);
    await connect(cloudDir);
    await Promise.all([stopCloud(cloudDir), stopCloud(cloudDir)]);
    expect(processesOfThisCloud()).toEqual([]);
  });

  test("ends by itself when its folder is deleted", async () => {
    await connect(cloudDir);
    const first: ProcessRecord = record();
    rmSync(cloudDir, { recursive: true });
    expect(await waitUntil(() => !isRunning(first), 15_000)).toBe(true);
  });

  test.each([
    ["throws where nothing catches it", "setTimeout(() => { throw new Error('a broken invariant'); })"],
    ["rejects a promise that nobody awaits", "void Promise.reject(new Error('a broken invariant'))"],
  ])("ends with status 1 when its code %s, and the next command says why", async (_, defect) => {
    const daemon = JSON.stringify(join(__dirname, "../../../local/cloud/daemon.ts"));
    const script = `require(${daemon}).runDaemon(process.argv[1]).then(() => { ${defect} })`;
    const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), "-e", script, cloudDir]);
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    expect((await once(child, "close"))[0]).toBe(1);
    expect(log).toMatch(/ends by a mistake of its own: Error: a broken invariant\n\s+at /);
    expect(await running(cloudDir)).toBe(false);

    const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      await connect(cloudDir);
      expect(told.mock.calls.join("\n")).toMatch(/ended by a mistake of its own .*\(Error: a broken invariant\)/);
      told.mockClear();
      await stopCloud(cloudDir);
      await connect(cloudDir);
      expect(told).not.toHaveBeenCalled();
    } finally {
      told.mockRestore();
    }
  });

  test("does not go on with an object that breaks a controller", async () => {
    const file = join(cloudDir, "kubernetes/objects/Deployment.apps/default/broken.json");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "broken" } }));
    const called = connect(cloudDir).then((client) => client.call("kubernetes.list", { group: "", kind: "Pod" }));
    await expect(called).rejects.toThrow(/Cannot read properties of undefined/);
    expect(await waitUntil(() => readDefect(cloudDir) !== undefined, 10_000)).toBe(true);
    expect(readFileSync(join(cloudDir, "daemon.log"), "utf8")).toContain("Deployment broken:");
    expect(await running(cloudDir)).toBe(false);
  });

  test("gives the caller a service's error with its name", async () => {
    const client = await connect(cloudDir);
    const unknown = "kubernetes.noSuchMethod" as "kubernetes.get";
    await expect(client.call(unknown, { group: "", kind: "Pod", namespace: "", name: "" })).rejects.toThrow(
      "no method kubernetes.noSuchMethod",
    );
  });
});

/** As other processes of the same user see it. */
function environmentOf(pid: number): string {
  return execFileSync("ps", ["eww", "-p", String(pid)], { encoding: "utf8" });
}
