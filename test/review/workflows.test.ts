import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  name?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

const folder = join(__dirname, "../../.github/workflows");
const workflows = readdirSync(folder).map((file) => ({ file, ...parse(readFileSync(join(folder, file), "utf8")) }));
const steps: { file: string; step: Step }[] = workflows.flatMap(({ file, jobs }) =>
  Object.values<{ steps?: Step[] }>(jobs).flatMap((job) => (job.steps ?? []).map((step) => ({ file, step }))),
);

/** An expression of GitHub Actions. */
const expression = (text: string) => `\${{ ${text} }}`;

describe("the workflows", () => {
  test("run no install script of a package, and name the version of the CLI and the commit of every action", () => {
    const lines = steps.flatMap(({ step }) => (step.run ?? "").split("\n"));
    expect(lines.filter((line) => /npm (ci|install|i)\b/.test(line) && !line.includes("--ignore-scripts"))).toEqual([]);
    for (const { file, step } of steps.filter(({ step: { uses } }) => uses !== undefined)) {
      expect([file, step.uses]).toEqual([file, expect.stringMatching(/@[0-9a-f]{40}$/)]);
      if (step.uses!.startsWith("pulumi/actions"))
        expect([file, step.with?.["pulumi-version"]]).toEqual([file, expect.stringMatching(/^\d|PULUMI_VERSION/)]);
    }
  });

  test("use one version of the CLI, and give it the backend and the secrets of every way to keep a state", () => {
    const texts = workflows.map(({ file }) => readFileSync(join(folder, file), "utf8"));
    const versions = texts.flatMap((text) => [...text.matchAll(/(?:pulumi-version|PULUMI_VERSION): (\d\S*)/g)]);
    expect(versions.length).toBeGreaterThanOrEqual(3);
    expect(new Set(versions.map(([, version]) => version)).size).toBe(1);
    const runs = steps.filter(({ step: { run = "" } }) =>
      /^\s*(timeout .* )?pulumi (up|preview|stack output)/m.test(run),
    );
    expect(runs.map(({ file }) => file).sort()).toEqual([
      "preview.yml",
      "preview.yml",
      "release-stack.yml",
      "release-stack.yml",
    ]);
    for (const { step } of runs)
      expect(step.env).toMatchObject({
        PULUMI_BACKEND_URL: expression("vars.PULUMI_BACKEND_URL"),
        PULUMI_ACCESS_TOKEN: expression("secrets.PULUMI_ACCESS_TOKEN"),
        PULUMI_CONFIG_PASSPHRASE: expression("secrets.PULUMI_CONFIG_PASSPHRASE"),
      });
  });

  test("reach a private API server by a runner of the team's own, and run everything else on GitHub's", () => {
    const own = workflows.flatMap(({ file, jobs }) =>
      Object.entries<{ "runs-on"?: string }>(jobs).flatMap(([name, job]) =>
        job["runs-on"] === expression("vars.RUNNER || 'ubuntu-24.04'") ? [`${file} ${name}`] : [],
      ),
    );
    expect(own.sort()).toEqual(["preview.yml preview", "release-stack.yml release", "restore-check.yml check"]);
  });

  test("test on every Node.js that is supported", () => {
    const { jobs } = workflows.find(({ file }) => file === "ci.yml")!;
    expect(jobs.test.strategy.matrix.node).toEqual([20, 22, 24]);
  });

  test("give the review of a pull request the sizes of production's tables, and no access", () => {
    const { jobs } = workflows.find(({ file }) => file === "preview.yml")!;
    const text = (job: object) => JSON.stringify(job);
    expect(jobs.review.permissions).toEqual({ contents: "read" });
    expect([jobs.review.environment, text(jobs.review).includes("secrets.")]).toEqual([undefined, false]);
    // The review goes on when the sizes can't be read, and for a fork, which has no access to them.
    expect([jobs.review.needs, jobs.review.if]).toEqual(["sizes", expression("!cancelled()")]);
    expect(jobs.sizes.if).toBe(jobs.preview.if);
    // What has access to the state runs none of the branch's code.
    const base = expression("github.event.pull_request.base.sha");
    expect(jobs.sizes.steps[0].with).toMatchObject({ ref: base });
    expect(text(jobs.sizes)).not.toMatch(/npm|node /);
  });

  test("let nothing but sizes leave the job that reads production's outputs", () => {
    const { run } = steps.find(({ file, step }) => file === "preview.yml" && step.name === "Sizes")!.step;
    const home = mkdtempSync(join(tmpdir(), "workflow "));
    mkdirSync(join(home, "bin"));
    const sizesOf = (pulumi: string) => {
      rmSync(join(home, "sizes"), { recursive: true, force: true });
      rmSync(join(home, "outcome"), { force: true });
      writeFileSync(join(home, "bin/pulumi"), `#!/bin/sh\n${pulumi}\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${home}/bin:${process.env["PATH"]}`, STACK: "prod" };
      const words = ["--noprofile", "--norc", "-eo", "pipefail", "-c", run!];
      const GITHUB_OUTPUT = join(home, "outcome");
      const { status } = spawnSync("bash", words, { cwd: home, env: { ...env, GITHUB_OUTPUT } });
      const found = existsSync(GITHUB_OUTPUT) ? readFileSync(GITHUB_OUTPUT, "utf8") : "";
      const file = join(home, "sizes/outputs.json");
      return { status, found, sizes: existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined };
    };
    const sizes = { recordedAt: "2026-11-20T10:00:00Z", tables: { notes: { rows: 1, bytes: 8192 } } };
    const found = { status: 0, found: "found=true\n", sizes: { sizes } };
    expect(sizesOf(`echo '${JSON.stringify({ url: "https://inside", sizes })}'`)).toEqual(found);
    expect(sizesOf(`echo '${JSON.stringify({ key: "x", release: { url: "y", sizes } })}'`)).toEqual(found);
    expect(sizesOf("echo 'error: not logged in' >&2; exit 255")).toEqual({ status: 0, found: "", sizes: undefined });
    rmSync(home, { recursive: true });
  });

  test("prove the review before the release, with the access that tells what is live", () => {
    const { jobs } = workflows.find(({ file }) => file === "release-stack.yml")!;
    const named = (name: string): number => jobs.release.steps.findIndex((step: Step) => step.name === name);
    const [proof, release] = [named("Prove the review"), named("Release")];
    expect(proof).toBe(release - 1);
    const { EKS_CLUSTER: _, ...access } = jobs.release.steps[release].env;
    expect(jobs.release.steps[proof].env).toEqual(access);
    // Only `pulumi up` ends the release, by the settings.
    expect(jobs.release.steps[proof].run).toBe('node bin/start.cjs review --run --proof --stack "$STACK" || true');
  });

  test("report the logs of this release's Jobs, and of no other's", () => {
    const { run } = steps.find(({ file, step }) => file === "release-stack.yml" && step.name === "Report")!.step;
    const home = mkdtempSync(join(tmpdir(), "workflow "));
    const bin = join(home, "bin");
    mkdirSync(bin);
    mkdirSync(join(home, "report"));
    const fake = (name: string, script: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    fake("pulumi", 'case "$1" in stack) echo "{}" ;; config) echo notes ;; esac');
    fake("kubectl", `printf '%s\\n' "$@" > "${home}/asked"`);
    const report = (up: string) => {
      writeFileSync(join(home, "report/up.txt"), up);
      const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, STACK: "prod", GITHUB_SHA: "abc" };
      const summary = join(home, "summary");
      const words = ["--noprofile", "--norc", "-eo", "pipefail", "-c", run!];
      return spawnSync("bash", words, { cwd: home, env: { ...env, GITHUB_STEP_SUMMARY: summary }, encoding: "utf8" });
    };
    expect(report("error: no Job was started\n")).toMatchObject({ status: 0 });
    expect(readFileSync(join(home, "report/jobs.txt"), "utf8")).toBe("No Job of this release was started.\n");
    const up = " +  kubernetes:batch/v1:Job notes-preflight-efaa4a40d8c9 created\n notes-migrate-efaa4a40d8c9 failed\n";
    expect(report(up)).toMatchObject({ status: 0 });
    const asked = readFileSync(join(home, "asked"), "utf8");
    expect(asked).toContain(
      "\nbatch.kubernetes.io/job-name in (notes-migrate-efaa4a40d8c9,notes-preflight-efaa4a40d8c9)\n",
    );
    expect(asked).toContain("--namespace\nnotes\n");
    rmSync(home, { recursive: true });
  });
});
