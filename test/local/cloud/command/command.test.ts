import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCommandProvider } from "../../../../local/cloud/command/provider";
import { describeProcess, isRunning, type ProcessRecord } from "../../../../local/cloud/process";
import { type Properties, UNKNOWN } from "../../../../local/cloud/provider";

const urn = "urn:pulumi:local::release::command:local:Command::probe";
const lines: string[] = [];
const provider = createCommandProvider({ log: (_, line) => lines.push(line) });
let directory: string;

beforeAll(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), "command "));
});
afterAll(() => fs.rm(directory, { recursive: true, force: true }));

const create = (inputs: Properties, more: { preview?: boolean; timeout?: number; signal?: AbortSignal } = {}) =>
  provider.create({ urn, inputs, timeout: 0, preview: false, ...more });

test("create gives both outputs, without their last line's end", async () => {
  const { id, outputs } = await create({ create: "printf 'a\\nb\\n'; echo é >&2" });
  expect(outputs).toMatchObject({ stdout: "a\nb", stderr: "é" });
  expect(id).toMatch(/^probe[0-9a-f]{8}$/);
});

test("environment, directory, input and interpreter are those asked for", async () => {
  const environment = { GREETING: "hi there" };
  const { outputs } = await create({ create: 'echo "$GREETING"; pwd; cat', environment, dir: directory, stdin: "in" });
  expect(outputs["stdout"]).toBe(`hi there\n${await fs.realpath(directory)}\nin`);
  const other = await create({ create: "console.log(1 + 1)", interpreter: [process.execPath, "-e"] });
  expect(other.outputs["stdout"]).toBe("2");
});

test("nothing runs in a preview, and its output is not known", async () => {
  const file = path.join(directory, "previewed");
  const { outputs } = await create({ create: `touch '${file}'` }, { preview: true });
  expect(outputs).toMatchObject({ stdout: UNKNOWN, stderr: UNKNOWN });
  await expect(fs.stat(file)).rejects.toThrow("ENOENT");
});

test("a failed command says its exit status, itself and what it printed", async () => {
  await expect(create({ create: "echo out; echo err >&2; exit 3" })).rejects.toThrow(
    /^exit status 3: running "echo out; echo err >&2; exit 3":\n(out\nerr|err\nout)\n$/,
  );
  await expect(create({ create: "true", interpreter: ["/no/such/program"] })).rejects.toThrow("ENOENT");
  await expect(create({ create: "true", dir: path.join(directory, "none") })).rejects.toThrow("ENOENT");
});

test("update runs `update`, else `create` again, and knows what was printed before", async () => {
  const first = await create({ create: "echo one" });
  const update = (inputs: Properties) =>
    provider.update({ urn, id: first.id, inputs, oldInputs: {}, olds: first.outputs, timeout: 0, preview: false });
  expect(await update({ create: "echo one", update: 'echo "$PULUMI_COMMAND_STDOUT+"' })).toMatchObject({
    stdout: "one+",
  });
  expect(await update({ create: "echo again" })).toMatchObject({ stdout: "again" });
  const without = { create: 'echo "<$PULUMI_COMMAND_STDOUT>"', addPreviousOutputInEnv: false };
  expect(await update(without)).toMatchObject({ stdout: "<>" });
  expect(await update({})).toMatchObject({ stdout: "one" });
});

test("delete runs `delete` with the last output, or nothing", async () => {
  const file = path.join(directory, "deleted");
  const inputs = { create: "echo made", delete: 'echo "$PULUMI_COMMAND_STDOUT" > "$TO"', environment: { TO: file } };
  const { id, outputs } = await create(inputs);
  await provider.delete({ urn, id, inputs, olds: outputs, timeout: 0 });
  expect(await fs.readFile(file, "utf8")).toBe("made\n");
  await provider.delete({ urn, id, inputs: {}, olds: {}, timeout: 0 });
});

test("triggers replace, other inputs update, unknown ones count as changed", async () => {
  const diff = (oldInputs: Properties, news: Properties, ignoreChanges: string[] = []) =>
    provider.diff({ urn, id: "x", oldInputs, olds: {}, news, ignoreChanges });
  const inputs = { create: "true", triggers: [1, { a: 2 }] };
  expect(await diff(inputs, { triggers: [1, { a: 2 }], create: "true" })).toMatchObject({ changes: "none" });
  expect(await diff(inputs, { ...inputs, triggers: [1, { a: 3 }] })).toMatchObject({ replaces: ["triggers"] });
  expect(await diff(inputs, { ...inputs, triggers: [UNKNOWN] })).toMatchObject({ replaces: ["triggers"] });
  expect(await diff(inputs, { ...inputs, create: "false" })).toMatchObject({ diffs: ["create"], replaces: [] });
  expect(await diff(inputs, { ...inputs, create: "false" }, ["create"])).toMatchObject({ changes: "none" });
});

test("wrong inputs are all told at once", async () => {
  const news = { create: 1, environment: { A: 1 }, creat: "x", assetPaths: ["*"], logging: "all", interpreter: "sh" };
  const { failures } = await provider.check({ urn, news });
  expect(failures.map(({ property }) => property).sort()).toEqual(Object.keys(news).sort());
  const good = { create: "true", triggers: [1], logging: "none", dir: UNKNOWN };
  expect(await provider.check({ urn, news: good })).toEqual({ inputs: good, failures: [] });
});

test("what is printed is logged, as far as `logging` allows", async () => {
  const printed = async (logging?: string) => {
    lines.length = 0;
    await create({ create: "echo out; echo err >&2", ...(logging ? { logging } : {}) });
    return [...lines].sort();
  };
  expect(await printed()).toEqual(["err", "out"]);
  expect(await printed("stderr")).toEqual(["err"]);
  expect(await printed("none")).toEqual([]);
});

/** A command whose grandchild would go on for ever; resolves with it once it runs. */
async function grandchild(file: string): Promise<ProcessRecord> {
  return expect
    .poll(async () => describeProcess(Number(await fs.readFile(file, "utf8").catch(() => "0"))), { timeout: 10_000 })
    .toBeTruthy()
    .then(async () => describeProcess(Number(await fs.readFile(file, "utf8")))!);
}
const endless = (file: string) => ({ create: `sh -c 'echo $$ > "${file}"; while :; do sleep 0.1; done' & wait` });

test("cancelling kills the command and everything it started", async () => {
  const file = path.join(directory, "cancelled.pid");
  const cancel = new AbortController();
  const failed = expect(create(endless(file), { signal: cancel.signal })).rejects.toThrow("cancelled");
  const process = await grandchild(file);
  cancel.abort();
  await failed;
  await expect.poll(() => isRunning(process)).toBe(false);
});

test("a command that is slower than its timeout is killed with everything it started", async () => {
  const file = path.join(directory, "late.pid");
  const failed = expect(create(endless(file), { timeout: 2 })).rejects.toThrow("timed out after 2s");
  const process = await grandchild(file);
  await failed;
  await expect.poll(() => isRunning(process)).toBe(false);
});

test("the function runs at once", async () => {
  const args = { command: "echo $X", environment: { X: "y" } };
  expect(await provider.invoke({ token: "command:local:run", args, preview: true })).toMatchObject({ stdout: "y" });
});
