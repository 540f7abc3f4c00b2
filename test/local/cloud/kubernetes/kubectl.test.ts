import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toolsOf } from "../../../../local/cloud/command/tools";
import { follow } from "../../../../local/cloud/kubernetes/kubectl-follow";
import { containerLog, podDirectory } from "../../../../local/cloud/kubernetes/pod-directory";
import { WritableStore } from "../../../../local/cloud/kubernetes/store";

const cloudDir = mkdtempSync(join(tmpdir(), "kubectl cloud "));
afterAll(() => rmSync(cloudDir, { recursive: true, force: true }));

beforeAll(() => {
  const store = new WritableStore(cloudDir);
  const metadata = { name: "notes-migrate-3f", namespace: "notes" };
  store.set({ apiVersion: "batch/v1", kind: "Job", metadata, spec: {} });
  store.set({ apiVersion: "batch/v1", kind: "Job", metadata: { ...metadata, name: "podless" }, spec: {} });
  const owner = { apiVersion: "batch/v1", kind: "Job", name: metadata.name, uid: "1" };
  const labels = { "batch.kubernetes.io/job-name": metadata.name };
  const pod = { name: "notes-migrate-3f-x", namespace: "notes", labels, ownerReferences: [owner] };
  store.set({ apiVersion: "v1", kind: "Pod", metadata: pod, spec: { containers: [{ name: "migrate" }] } });
  mkdirSync(podDirectory(cloudDir, pod), { recursive: true });
  writeFileSync(containerLog(cloudDir, pod, "migrate"), "one\ntwo\nREPORT {}\n");
});

/** As a command of the local cloud calls it: by its name, from a folder of its own. */
function kubectl(...words: string[]) {
  const env = { ...process.env, ...toolsOf(cloudDir) };
  const { status, stdout, stderr } = spawnSync("kubectl", words, { cwd: resolve("/"), env, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("is the one that the cloud's commands find, and shows a Job's log", () => {
  expect(
    kubectl("logs", "job/notes-migrate-3f", "--namespace=notes", "--context=prod", "--request-timeout=20s"),
  ).toEqual({
    status: 0,
    stdout: "one\ntwo\nREPORT {}\n",
    stderr: "",
  });
  expect(kubectl("logs", "notes-migrate-3f-x", "-n", "notes", "--tail=1").stdout).toBe("REPORT {}\n");
});

test("gets objects by kind and name as JSON, with those that are missing left out, and never a Secret", () => {
  const get = (...words: string[]) => kubectl("get", ...words, "-n", "notes", "--ignore-not-found", "-o", "json");
  const found = JSON.parse(get("jobs.batch/podless", "jobs.batch/notes-migrate-3f", "services/none").stdout);
  expect(found.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
    "podless",
    "notes-migrate-3f",
  ]);
  expect(JSON.parse(get("jobs.batch/podless").stdout)).toMatchObject({ kind: "Job", metadata: { name: "podless" } });
  expect(get("secrets/notes-database")).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("lists the pods of a Job, and no events", () => {
  const names = (...words: string[]) =>
    JSON.parse(kubectl("get", ...words, "-n", "notes", "-o", "json").stdout).items.map(
      (each: any) => each.metadata.name,
    );
  const label = "batch.kubernetes.io/job-name";
  expect(names("pods", `--selector=${label}=notes-migrate-3f`)).toEqual(["notes-migrate-3f-x"]);
  expect(names("pods", `--selector=${label}=podless`)).toEqual([]);
  expect(names("events")).toEqual([]);
});

test("lists all objects of some kinds", () => {
  const { stdout } = kubectl("get", "jobs.batch,services", "-n", "notes", "-o", "json");
  expect(JSON.parse(stdout).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(
    expect.arrayContaining(["notes-migrate-3f", "podless"]),
  );
});

test.each([
  [["get", "services/none", "-o", "json"], 'Error from server (NotFound): services "none" not found'],
  [["logs", "job/gone", "-n", "notes"], 'Error from server (NotFound): jobs.batch "gone" not found'],
  [["logs", "job/notes-migrate-3f"], 'Error from server (NotFound): jobs.batch "notes-migrate-3f" not found'],
  [["logs", "gone", "-n", "notes"], 'Error from server (NotFound): pods "gone" not found'],
  [["logs", "job/podless", "-n", "notes"], "error: timed out waiting for the condition"],
  [
    ["patch", "jobs.batch/gone", "-n", "notes", "--type=json"],
    'Error from server (NotFound): jobs.batch "gone" not found',
  ],
  [["get", "pods"], "error: the local cloud's kubectl knows `logs job/NAME`"],
])("%j ends as kubectl would, with its words", (words, message) => {
  const { status, stderr } = kubectl(...words);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
});

test("follows a log to its last line, also when pod and log are removed between two looks", async () => {
  const store = new WritableStore(cloudDir);
  const pod = { name: "deleted", namespace: "notes", container: "migrate" };
  store.set({ apiVersion: "v1", kind: "Pod", metadata: pod, spec: { containers: [{ name: "migrate" }] } });
  mkdirSync(podDirectory(cloudDir, pod), { recursive: true });
  writeFileSync(containerLog(cloudDir, pod, "migrate"), "one\n");
  let printed = "";
  const ended = follow(cloudDir, pod, undefined, (text) => {
    printed += text.replace(/^\S+ /, "");
  });
  expect(printed).toBe("one\n");
  appendFileSync(containerLog(cloudDir, pod, "migrate"), "last\n");
  rmSync(podDirectory(cloudDir, pod), { recursive: true });
  store.remove({ group: "", kind: "Pod", namespace: "notes", name: "deleted" });
  await ended;
  expect(printed).toBe("one\nlast\n");
});
