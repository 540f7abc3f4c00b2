import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isRunning, startOf, waitUntil } from "../../../local/cloud/process";

const BIN = resolve(__dirname, "../../../local/bin");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plugin test "));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each(["aws", "kubernetes", "command"])(
  "pulumi-resource-%s, found on PATH from any folder, prints its port alone",
  async (name) => {
    const plugin = spawn(`pulumi-resource-${name}`, ["127.0.0.1:1"], { cwd: folder, env: environment() });
    try {
      const port = await firstLine(plugin.stdout);
      expect(port).toMatch(/^\d+\n$/);
      const client = new ResourceProviderClient(`127.0.0.1:${port.trim()}`, credentials.createInsecure());
      const version = await new Promise((done, fail) => {
        client.getPluginInfo(new Empty(), (error: unknown, info: any) =>
          error ? fail(error) : done(info.getVersion()),
        );
      });
      client.close();
      expect(version).toBe(require(`@pulumi/${name}/package.json`).version);
    } finally {
      plugin.kill("SIGKILL");
    }
  },
);

test("a plugin whose CLI was killed ends by itself", async () => {
  // A shell in the place of the CLI: it starts the plugin, and is killed.
  const parent = spawn("/bin/sh", ["-c", "pulumi-resource-command & echo $!; wait"], {
    cwd: folder,
    env: environment(),
  });
  let said = "";
  parent.stdout.on("data", (chunk) => {
    said += chunk;
  });
  expect(await waitUntil(() => said.split("\n").length > 2, 20_000)).toBe(true);
  const pid = Number(said.split("\n")[0]);
  const record = { pid, started: startOf(pid)! };
  expect(isRunning(record)).toBe(true);
  parent.kill("SIGKILL");
  expect(await waitUntil(() => !isRunning(record), 20_000)).toBe(true);
});

test("without the variable that names the cloud it says what is missing", async () => {
  const plugin = spawn("pulumi-resource-aws", [], { cwd: folder, env: { ...environment(), RELEASE_LOCAL_CLOUD: "" } });
  let error = "";
  plugin.stderr.on("data", (chunk) => {
    error += chunk;
  });
  const status = await new Promise((done) => plugin.once("close", done));
  expect(status).toBe(1);
  expect(error).toContain("RELEASE_LOCAL_CLOUD is not set");
  expect(error).toContain("Nothing was touched");
});

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${BIN}:${process.env["PATH"]}`, RELEASE_LOCAL_CLOUD: join(folder, "cloud") };
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    stream.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) done(text);
    });
    stream.on("end", () => fail(new Error(`it ended after ${JSON.stringify(text)}`)));
  });
}
