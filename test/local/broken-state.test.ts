import { execFileSync } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { main } from "../../local/main";
import { systemErrorInWords } from "../../local/system-error";
import { writeAtomically } from "../../text/atomic";
import { canMount, fullDisk } from "./full-disk";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "broken-state-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(stateDir, { recursive: true, force: true });
});

/** A file of the stack `local`, by its path below the stack's folder. */
function put(path: string, text: string): void {
  const file = join(stateDir, "release/local", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function type(...words: string[]) {
  let printed = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      printed += text;
      return true;
    });
  }
  const status = await main([...words, "--state-dir", stateDir]);
  vi.restoreAllMocks();
  expect(printed).not.toMatch(/^ {4}at /m);
  return { status, printed };
}

const urn = "urn:pulumi:local::release::pulumi:pulumi:Stack::release-local";
const stack = { urn, type: "pulumi:pulumi:Stack", custom: false };
const withState = (deployment: unknown, version = 3) => JSON.stringify({ version, deployment });
const encrypted = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:a:b" };

describe("a state that can't be used", () => {
  test.each([
    ["cut off by a full disk", withState({ resources: [stack] }).slice(0, -20)],
    ["empty", ""],
    ["of zeros after a power cut", "\0".repeat(100)],
    ["null", "null"],
    ["a list", "[]"],
    ["of a newer version", withState({}, 4)],
    ["without a deployment", JSON.stringify({ version: 3 })],
    ["with a resource that is none", withState({ resources: [stack, null] })],
    ["with outputs that are none", withState({ resources: [{ ...stack, outputs: "x" }] })],
    ["with a secret whose key is gone", withState({ resources: [{ ...stack, outputs: { url: encrypted } }] })],
  ])("(%s) is named by status; logs and down work, up refuses and changes nothing", async (_, text) => {
    put("state.json", text);
    put("cloud/daemon.log", "the cloud said this\n");
    expect(await type("status")).toMatchObject({ status: 0, printed: expect.stringContaining("state.json can't be") });
    expect(await type("logs", "cloud")).toEqual({ status: 0, printed: "the cloud said this\n" });
    expect(await type("down")).toMatchObject({ status: 0 });
    const up = await type("up");
    expect(up).toMatchObject({ status: 1, printed: expect.stringContaining("Nothing was changed") });
    expect(up.printed).toContain("state.json.damaged");
    expect(readFileSync(join(stateDir, "release/local/state.json"), "utf8")).toBe(text);
    expect(await type("outputs")).toMatchObject({ status: 1, printed: expect.stringContaining("can't be used") });
  });

  test("has the state before the last command beside it, and the message says how to go on from that", async () => {
    put("state.json", "{");
    put("state.json.bak", withState({ resources: [stack] }));
    const { printed } = await type("up");
    const [from, to] = /cp '(.*)' '(.*)'/.exec(printed)!.slice(1);
    execFileSync("cp", [from!, to!]);
    expect(await type("status")).toMatchObject({ status: 0, printed: expect.not.stringContaining("unreadable") });
  });

  test("of the Pulumi CLI does not keep status, logs and down from working", async () => {
    const checkpoint = join(stateDir, ".pulumi/stacks/release/local.json");
    mkdirSync(dirname(checkpoint), { recursive: true });
    writeFileSync(checkpoint, "");
    put("cloud/daemon.log", "said\n");
    expect(await type("status")).toMatchObject({
      status: 0,
      printed: expect.stringContaining("local.json, the Pulumi CLI's record"),
    });
    expect(await type("logs", "cloud")).toMatchObject({ status: 0 });
    expect(await type("down")).toMatchObject({ status: 0 });
  });
});

describe("another file of the stack that can't be read", () => {
  const files = [
    "last-run.json",
    "cloud/faults.json",
    "cloud/daemon.json",
    "cloud/aws/instances/notes-db/instance.json",
    "cloud/aws/snapshots/notes-db-1/snapshot.json",
    "cloud/kubernetes/objects/Deployment.apps/default/notes.json",
    "cloud/kubernetes/objects/Pod.core/default/notes-1.json",
  ];
  test.each(
    files.flatMap((file) => [
      [file, '{"kind"'],
      [file, "null"],
      [file, "{}"],
    ]),
  )("(%s: %s) does not keep status, logs and down from working", async (file, text) => {
    put(file, text);
    put("cloud/daemon.log", "said\n");
    const { status, printed } = await type("status");
    expect(status, printed).toBe(0);
    // Nobody misses the address of a background process that does not run; without faults, `null` is none.
    if (!file.endsWith("daemon.json") && !(file.endsWith("faults.json") && text === "null"))
      expect(printed).toMatch(/unreadable\s.*can't be read/);
    expect(await type("logs", "cloud")).toMatchObject({ status: 0 });
    expect(await type("down")).toMatchObject({ status: 0 });
  });
});

describe("a state directory that others can write to", () => {
  const verbs = [["up"], ["status"], ["logs", "cloud"], ["down"], ["preview"], ["destroy"]];
  const release = () => join(stateDir, "release");

  test.each([
    ["the project's folder", () => release()],
    ["the stack's folder", () => join(release(), "local")],
    ["the cloud's folder", () => join(release(), "local/cloud")],
    ["the state", () => join(release(), "local/state.json")],
    ["the log of the cloud", () => join(release(), "local/cloud/daemon.log")],
    ["the CLI's passphrase", () => join(stateDir, ".pulumi-passphrase")],
  ])("is refused where %s is a symbolic link, also one that leads nowhere", async (_, path) => {
    mkdirSync(dirname(path()), { recursive: true });
    symlinkSync(join(stateDir, "elsewhere"), path());
    for (const words of verbs) {
      const { status, printed } = await type(...words);
      expect(printed).toContain(`${path()} is a symbolic link; nothing was read or changed`);
      expect(status).toBe(2);
    }
    expect(readdirSync(stateDir)).not.toContain("elsewhere");
  });

  test.skipIf(process.getuid?.() !== 0)("is refused where a file is another user's", async () => {
    put("state.json", withState({ resources: [] }));
    chownSync(join(release(), "local/state.json"), 65534, 65534);
    const { status, printed } = await type("status");
    expect(printed).toContain("state.json belongs to another user (65534, you are 0)");
    expect(status).toBe(2);
  });

  test("is refused where a FIFO stands in the place of a file, and nothing waits for it", async () => {
    put("last-run.json", "{}");
    execFileSync("mkfifo", [join(release(), "local/state.json")]);
    const { status, printed } = await type("up");
    expect(printed).toContain("state.json is neither a file nor a folder");
    expect(status).toBe(2);
  });

  test("must have a name", async () => {
    expect((await type("status", "--cwd", "")).printed).toContain("--cwd is empty; it must name a folder");
    expect(await main(["status", "--state-dir", ""])).toBe(2);
  });
});

describe("a full disk", () => {
  test("is told in words, with the file and what to do", () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      path: "/x/state.json",
    });
    expect(systemErrorInWords(error)).toBe(
      "/x/state.json: the disk is full (ENOSPC). State, database and snapshots are as they were last written. " +
        "Once that is mended, run the same command again; `status`, `logs` and `down` work meanwhile.",
    );
    expect(systemErrorInWords(new Error("another"))).toBeUndefined();
  });

  test.skipIf(!canMount())("leaves a file as it was, however much of the new one fits", () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", stateDir]);
    try {
      const file = join(stateDir, "state.json");
      writeAtomically(file, "old");
      for (const size of [62_000, 70_000, 1_000_000]) {
        expect(() => writeAtomically(file, "x".repeat(size))).toThrow(
          expect.objectContaining({ code: "ENOSPC", path: file }),
        );
        expect(readFileSync(file, "utf8")).toBe("old");
        expect(readdirSync(stateDir)).toEqual(["state.json"]);
      }
    } finally {
      execFileSync("umount", [stateDir]);
    }
  });

  // It takes a minute, so `npm run test:long` runs it. Root must be able to mount. The long form is `npm run full-disk -- 40`.
  test.runIf(process.env["TEST_LONG"] && canMount())(
    "lets status and down work, and once there is space the next up completes the release",
    {
      timeout: 480_000,
    },
    async () => {
      const seed = Number(process.env["DISK_SEED"] ?? Date.now() % 1_000_000);
      expect(await fullDisk({ rounds: 2, seed, freshEvery: 2 })).toHaveLength(2);
    },
  );
});
