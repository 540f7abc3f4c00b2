import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { main } from "../../local/main";
import { Cli, tree } from "./cli";

const cli = new Cli();
afterAll(() => cli.end());
afterEach(() => vi.restoreAllMocks());

/** The command line in this process: a hundred milliseconds instead of a second, for what starts nothing anyway. */
async function type(...words: string[]) {
  let stdout = "";
  let stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += text;
    return true;
  });
  const status = await main([...words, "--state-dir", cli.stateDir]);
  return { status, stdout, stderr };
}

const NAMES_OF_EVERY_OBJECT = ["constructor", "toString", "__proto__"];

describe("a line that was typed wrong", () => {
  test("is answered with everything that is wrong at once, status 2, and nothing is touched", async () => {
    const before = tree(cli.stateDir);
    const ran = await cli.run("up", "--bogus", "extra", "--engine", "fast", "--stack", "a/b", "--config", "image");
    expect(ran.status).toBe(2);
    expect(ran.stderr.trimEnd().split("\n")).toEqual([
      "unknown option --bogus of up; see npm run local -- up --help",
      "up takes no argument: extra is too much",
      '--engine is "fast"; it must be auto, embedded or pulumi',
      '--stack is "a/b"; it must be letters, digits, "-", "_" and ".", at most 100',
      '--config "image": it must be key=value, such as app.image=notes:1.1.0',
    ]);
    expect(ran.stdout).toBe("");
    expect(tree(cli.stateDir)).toEqual(before);
  });

  test("is an event with --json too", async () => {
    const ran = await cli.run("fault", "earthquake", "--json");
    expect(ran.status).toBe(2);
    expect(ran.events).toEqual([
      expect.objectContaining({
        kind: "error",
        problems: [expect.stringContaining("earthquake is not a fault that can be set; there are snapshot-fails")],
      }),
    ]);
  });

  test.each([
    [["logs"], "Which log?"],
    [["query"], "query needs SQL"],
    [["query", " "], "query needs SQL"],
    [["fault", "none", "snapshot-fails"], "none ends all faults"],
    [["outputs", "a", "b"], "outputs takes 1: b is too much"],
    [["upp"], "Did you mean up?"],
    [["up", "--target=x"], "--target=x: only the Pulumi CLI has this option"],
    [["constructor"], "unknown command 'constructor'"],
    ...NAMES_OF_EVERY_OBJECT.flatMap(
      (name) =>
        [
          [["fault", name], `${name} is not a fault that can be set`],
          [["up", "--engine", name], `--engine is "${name}"; it must be auto, embedded or pulumi`],
        ] as [string[], string][],
    ),
    [["up", "--cwd", "/"], "has no Pulumi.yaml"],
  ])("%j", async (words, message) => {
    const ran = await type(...words);
    expect(ran.stderr).toContain(message);
    expect(ran.status).toBe(2);
  });

  test("is not a call for help", async () => {
    const ran = await type("up", "--help");
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain("--config <key=value>");
  });
});

describe("before the first release", () => {
  test.each([
    [["status"], "next", 0],
    [["outputs"], "no release is complete yet", 0],
    [["snapshots"], "There are no snapshots yet", 0],
    [["down"], "Nothing is running", 0],
    [["logs", "app"], "nothing was started for this stack", 1],
    [["query", "SELECT 1"], "There is no database notes-db yet", 1],
    [["restore"], "The local cloud does not run, and nothing was started", 1],
    [["outputs", "url"], "no release is complete yet", 1],
  ])("%j says so, with the next command, and starts nothing", async (words, message, status) => {
    const before = tree(cli.stateDir);
    const ran = await type(...words);
    expect(ran.stdout + ran.stderr).toContain(message);
    expect(ran.status).toBe(status);
    expect(ran.stderr).not.toContain("    at ");
    expect(tree(cli.stateDir)).toEqual(before);
  });
});
