import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EngineEvent, stackDirectory, up } from "../../../local/engine";
import { loadState } from "../../../local/engine/state";
import { driveOptions, things } from "./fixtures/drive";

const ROUNDS = 10;
const stack = `kill-${process.pid}`;
let directory: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "engine kill "));
});
afterEach(() => {
  running?.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

/** Every round replaces one resource, updates one, brings a new one and drops an old one. */
const program = (round: number) =>
  JSON.stringify([
    { name: "fixed", inputs: { force: round } },
    { name: "changing", inputs: { size: round }, options: { dependsOn: ["fixed"] } },
    { name: `job-${round}`, options: { dependsOn: ["fixed"], replaceOnChanges: ["*"] } },
    { name: "app", inputs: { image: round }, options: { dependsOn: [`job-${round}`] } },
  ]);

function drive(resources: string): ChildProcess {
  const script = join(__dirname, "fixtures", "drive.ts");
  return spawn(process.execPath, ["--import", "tsx", script, directory, stack, resources], {
    cwd: join(__dirname, "../../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function programs(): string[] {
  const lines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(`--stack ${stack} `) && line.includes("cmd/run"));
}

test(`killed at ${ROUNDS} instants, an up always goes on from a readable state to where it should be`, async () => {
  const lines: string[] = [];
  // Killed between a creation and its record: as with the CLI it is told of, and nobody's if no later program has it.
  const interrupted = new Set<string>();
  for (let round = 1; round <= ROUNDS; round++) {
    const child = drive(program(round));
    running = child;
    // Instants are spread over the events of a run and a few milliseconds after each.
    const events = Math.floor(Math.random() * 12);
    let seen = 0;
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      seen += chunk.split("\n").length - 1;
      if (seen > events) void setTimeout(Math.random() * 30).then(() => child.kill("SIGKILL"));
    });
    await once(child, "close");
    lines.push(`${round}: after ${events} events`);
    const state = loadState(stackDirectory(directory, "world", stack));
    expect(state === undefined || Array.isArray(state.resources), lines.join("\n")).toBe(true);
    for (const { resource, type } of state?.pendingOperations ?? [])
      if (type === "creating") interrupted.add(resource.urn.split("::").at(-1)!);
    if (round % 3 !== 0) continue;
    const told: EngineEvent[] = [];
    const result = await up({
      ...driveOptions(directory, stack, program(round)),
      onEvent: (event) => told.push(event),
    });
    expect(result.errors, lines.join("\n")).toEqual([]);
    const wanted = ["app", "changing", "fixed", `job-${round}`].sort();
    const there = things(join(directory, "cloud")).filter((name) => wanted.includes(name) || !interrupted.has(name));
    expect(there, lines.join("\n")).toEqual(wanted);
    const settled = loadState(stackDirectory(directory, "world", stack));
    const names = settled?.resources
      .filter(({ type }) => type.startsWith("fake:"))
      .map(({ urn }) => urn.split("::").at(-1));
    expect(names?.sort(), lines.join("\n")).toEqual(wanted);
    expect(settled?.pendingOperations).toEqual([]);
  }
}, 240_000);

test("a killed engine leaves no program behind", async () => {
  const child = drive(program(1));
  running = child;
  await once(child.stdout as NodeJS.ReadableStream, "data");
  expect(programs()).toHaveLength(1);
  child.kill("SIGKILL");
  await expect.poll(programs, { timeout: 20_000 }).toEqual([]);
});

test("an engine that ends leaves neither a program nor a lock nor a temporary file behind", async () => {
  const result = await up({ ...driveOptions(directory, stack, program(1)), onEvent: () => {} });
  expect(result.ok).toBe(true);
  expect(programs()).toEqual([]);
  const files = execFileSync("ls", ["-A", stackDirectory(directory, "world", stack)], { encoding: "utf8" });
  expect(files.trim().split("\n")).toEqual(["state.json"]);
  expect(JSON.parse(readFileSync(join(stackDirectory(directory, "world", stack), "state.json"), "utf8")).version).toBe(
    3,
  );
});
