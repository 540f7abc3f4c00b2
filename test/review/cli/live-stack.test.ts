import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { liveStack } from "../../../review/cli/live-stack";
import { main } from "../../../review/cli/main";

const SIZES = { recordedAt: "2026-11-20T10:00:00Z", tables: { notes: { rows: 5_000_000, bytes: 9e9 } } };
const OUTPUTS = JSON.stringify({ releaseId: "0a1b", sizes: SIZES });

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stack sizes "));
  mkdirSync(join(home, "bin"));
  vi.stubEnv("RELEASE_STACK_OUTPUTS", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

/** Puts a stand-in for the Pulumi CLI, a script of sh, before everything else on the PATH. */
function standIn(script: string): void {
  writeFileSync(join(home, "bin/pulumi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${join(home, "bin")}:${process.env["PATH"]}`);
}

describe("the sizes of a stack's tables", () => {
  test("are those of its outputs, which the CLI is asked for without a prompt and without secrets", async () => {
    standIn(`printf '%s\\n' "$@" > args; cat > input; echo '${OUTPUTS}'`);
    expect(await liveStack(home, "prod")).toEqual({ sizes: SIZES });
    const asked = readFileSync(join(home, "args"), "utf8").trim().split("\n");
    expect(asked).toEqual(["stack", "output", "--json", "--non-interactive", "--stack", "prod"]);
    expect(readFileSync(join(home, "input"), "utf8")).toBe("");
  });

  test("are found in one output of a program that has others, and in the variable of the local release", async () => {
    vi.stubEnv("RELEASE_STACK_OUTPUTS", JSON.stringify({ other: 1, nothing: null, release: JSON.parse(OUTPUTS) }));
    expect(await liveStack(home, "prod")).toEqual({ sizes: SIZES });
    writeFileSync(join(home, "outputs.json"), OUTPUTS);
    vi.stubEnv("RELEASE_STACK_OUTPUTS", join(home, "outputs.json"));
    expect(await liveStack(home, "prod")).toEqual({ sizes: SIZES });
  });

  test.each([
    ["echo 'error: no stack named prod' >&2; exit 255", "pulumi stack output says: error: no stack named prod"],
    ["echo {}", "the outputs of stack prod have no sizes"],
    [`echo '{"sizes": "[secret]"}'`, "the outputs of stack prod have no sizes"],
    ["echo warning", "the outputs of stack prod are not JSON"],
  ])("are unknown with the reason: %s", async (script, reason) => {
    standIn(script);
    expect(await liveStack(home, "prod")).toEqual({ unknown: reason });
  });

  test("are unknown where no CLI is, and where it hangs", async () => {
    vi.stubEnv("PATH", join(home, "bin"));
    expect(await liveStack(home, "prod")).toEqual({ unknown: "the Pulumi CLI is not on PATH" });
    vi.unstubAllEnvs();
    standIn("exec sleep 60");
    const began = performance.now();
    expect(await liveStack(home, "prod", 100)).toEqual({
      unknown: "pulumi stack output did not end within 100 ms",
    });
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

describe("npm run review --stack", () => {
  const review = async (...words: string[]) => {
    let out = "";
    const status = await main([...words, "--no-squawk", "--no-schema"], (text) => (out += text), console.error);
    return { status, out: out.replace(/\s+/g, " ") };
  };

  test("takes the live sizes by itself, or says why it can't", async () => {
    for (const [name, sql] of [
      ["1_notes", "CREATE TABLE notes (id INT, body TEXT);"],
      ["2_index", "CREATE INDEX i ON notes (body);"],
    ] as const) {
      mkdirSync(join(home, "migrations", name), { recursive: true });
      writeFileSync(join(home, "migrations", name, "migration.sql"), sql);
    }
    writeFileSync(join(home, "Pulumi.prod.yaml"), "config:\n  release:migrations: {directory: migrations}\n");
    const before = process.cwd();
    process.chdir(home);
    try {
      standIn(`echo asked >> asked; echo '${OUTPUTS}'`);
      const known = await review("--stack", "prod", "--since", "1_notes");
      expect(known.out).toContain("Sizes of tables are of 2026-11-20 10:00 UTC.");
      expect(known.out).toContain("Duration: Minutes (8.4 GiB, 5.0 million rows)");
      // Nothing to judge, or a folder only: the CLI is not asked.
      await review("--stack", "prod", "--since", "2_index");
      const folder = await review("--migrations", "migrations", "--since", "1_notes");
      expect(folder.out).toContain("Sizes of tables and durations are unknown (pass --stats FILE).");
      expect(readFileSync("asked", "utf8")).toBe("asked\n");

      standIn("echo 'error: not logged in' >&2; exit 255");
      const unknown = await review("--stack", "prod", "--since", "1_notes");
      expect(unknown.out).toContain(
        "Note: Sizes of tables and durations are unknown: pulumi stack output says: error: not logged in. Pass --stats FILE.",
      );
      expect(unknown.out.match(/durations are unknown/g)).toHaveLength(1);
      expect([known.status, unknown.status]).toEqual([2, 1]);
    } finally {
      process.chdir(before);
    }
  });
});
