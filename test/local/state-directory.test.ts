import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../local/cloud/client";
import { stateDirectoryProblems } from "../../local/state-directory";
import { tree } from "./cli";
import { canMount } from "./full-disk";

const verbs = [
  ["preview"],
  ["up"],
  ["destroy"],
  ["refresh"],
  ["outputs"],
  ["status"],
  ["logs", "app"],
  ["query", "SELECT 1"],
  ["snapshots"],
  ["restore"],
  ["down"],
  ["fault"],
  ["fault", "snapshot-fails"],
];

interface Answer {
  words: string[];
  status: number;
  printed: string;
}

/** All verbs in one process, which can be killed: what this is about never came to an end. The last is root's without its rights. */
function typeAll(stateDir: string, as: "me" | "nobody" = "me"): Answer[] {
  const script = `
    const { main } = require("./local/main.ts");
    ${as === "nobody" ? "process.setgid(65534); process.setuid(65534);" : ""}
    (async () => {
      const answers = [];
      const write = process.stdout.write.bind(process.stdout);
      for (const words of ${JSON.stringify(verbs)}) {
        let printed = "";
        process.stdout.write = process.stderr.write = (text) => ((printed += text), true);
        answers.push({ words, status: await main([...words, "--state-dir", ${JSON.stringify(stateDir)}]), printed });
      }
      write(JSON.stringify(answers), () => process.exit());
    })();`;
  const argv = ["--require", "tsx/cjs", "-e", script];
  const options = {
    cwd: resolve(__dirname, "../.."),
    timeout: 60_000,
    killSignal: "SIGKILL",
    encoding: "utf8",
  } as const;
  return JSON.parse(execFileSync(process.execPath, argv, options)) as Answer[];
}

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "state-directory-"));
  chmodSync(home, 0o755);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function refusedByAll(answers: Answer[], why: string): void {
  expect(answers).toHaveLength(verbs.length);
  for (const { words, status, printed } of answers) {
    expect(printed, words[0]).toMatch(
      /^--state-dir .* can't be used: .*\. Nothing was read or changed; name another folder\n$/,
    );
    expect(printed, words[0]).toContain(why);
    expect(status, words[0]).toBe(2);
  }
}

describe("a state directory that can't be used is refused by every verb at once, and nothing is touched", () => {
  test.skipIf(!existsSync("/proc/self"))("below /proc", () => {
    refusedByAll(typeAll("/proc/x"), "no folder can be made in /proc (");
    expect(existsSync("/proc/x")).toBe(false);
  });

  test("a regular file, and below one", () => {
    const file = join(home, "file");
    writeFileSync(file, "text");
    const before = tree(home);
    refusedByAll(typeAll(file), `${file} is not a folder`);
    expect(stateDirectoryProblems(join(file, "below"), "release", "local", "reads")).toEqual([
      expect.stringContaining(`${file} is not a folder`),
    ]);
    expect(tree(home)).toEqual(before);
  });

  test("a folder in which this user may not write", () => {
    const folder = join(home, "not mine");
    mkdirSync(folder, { mode: 0o555 });
    refusedByAll(
      typeAll(folder, process.getuid?.() === 0 ? "nobody" : "me"),
      `no folder can be made in ${folder} (EACCES)`,
    );
    expect(tree(folder)).toEqual({});
  });
});

describe("a state directory", () => {
  const problems = (stateDir: string, use: "changes" | "reads" = "reads") =>
    stateDirectoryProblems(stateDir, "release", "local", use);

  test("that is not there yet, or is reached by a link, is none that can't be used, and is not made", () => {
    expect(problems(join(home, "a/b/c"), "changes")).toEqual([]);
    expect(existsSync(join(home, "a"))).toBe(false);
    mkdirSync(join(home, "real"));
    symlinkSync(join(home, "real"), join(home, "link"));
    expect(problems(join(home, "link"), "changes")).toEqual([]);
    expect(tree(join(home, "real"))).toEqual({});
  });

  test("that is a link to nothing, has a file in the place of a folder, or a name that is too long is refused", () => {
    symlinkSync(join(home, "nowhere"), join(home, "dangling"));
    expect(problems(join(home, "dangling"))).toEqual([
      expect.stringContaining("dangling is a link to what is not there"),
    ]);
    for (const path of ["release", "release/local", "release/local/cloud"]) {
      const stateDir = mkdtempSync(join(home, "occupied-"));
      mkdirSync(join(stateDir, path, ".."), { recursive: true });
      writeFileSync(join(stateDir, path), "");
      expect(problems(stateDir)).toEqual([expect.stringContaining(`${join(stateDir, path)} is not a folder`)]);
    }
    expect(problems(join(home, "a".repeat(300)))).toEqual([expect.stringContaining("ENAMETOOLONG")]);
  });

  // Whatever made it so, what was started must still be seen and stopped.
  test.skipIf(!canMount())("that became read-only can be read, and is refused by what would write there", () => {
    const stateDir = mkdtempSync(join(home, "read-only-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", stateDir]);
    try {
      mkdirSync(join(stateDir, "release/local"), { recursive: true });
      execFileSync("mount", ["-o", "remount,ro", stateDir]);
      expect(problems(stateDir, "reads")).toEqual([]);
      expect(problems(stateDir, "changes")).toEqual([
        expect.stringContaining("release/local can't be written to (EROFS)"),
      ]);
      const none = stateDirectoryProblems(stateDir, "release", "other", "reads");
      expect(none).toEqual([expect.stringMatching(/no folder can be made in .*\/release \(EROFS\)/)]);
    } finally {
      execFileSync("umount", [stateDir]);
    }
  });
});

test.skipIf(!existsSync("/proc/self"))(
  "a cloud whose folder can't be made says so instead of trying for ever",
  async () => {
    await expect(connect("/proc/x/release/local/cloud")).rejects.toThrow(/ENOENT|EACCES/);
  },
);
