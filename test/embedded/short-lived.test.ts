import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, test } from "vitest";
import { exists } from "../../embedded/files";
import { binariesOf, NEWEST } from "../../embedded/majors";
import { listProcesses, until } from "../../embedded/processes";
import { startShortLived } from "../../embedded/short-lived";

const program = `
  const { binariesOf, NEWEST } = require("${path.resolve("embedded/majors.ts")}");
  const { startShortLived } = require("${path.resolve("embedded/short-lived.ts")}");
  binariesOf(NEWEST).then(startShortLived).then(({ dataDirectory }) => console.log(dataDirectory));
  setInterval(() => undefined, 1000);`;

test("a server ends and its folder is removed when the process that started it is killed", async () => {
  const owner = spawn(process.execPath, ["--import", "tsx", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [printed] = (await once(owner.stdout, "data")) as [Buffer];
  const data = printed.toString().trim();
  const servers = async () => (await listProcesses()).filter(({ command }) => command.includes(` -D ${data} `)).length;
  expect(await servers()).toBe(1);
  owner.kill("SIGKILL");
  const gone = async () => (await servers()) === 0 && !(await exists(path.dirname(data)));
  expect(await until(gone, { timeout: 15_000 })).toBe(true);
});

test("two servers at once have ports and folders of their own, and a stopped one leaves nothing", async () => {
  const binaries = await binariesOf(NEWEST);
  const [one, other] = await Promise.all([startShortLived(binaries), startShortLived(binaries)]);
  expect(one.port).not.toBe(other.port);
  await Promise.all([one.stop(), other.stop()]);
  for (const { dataDirectory } of [one, other]) expect(await exists(path.dirname(dataDirectory))).toBe(false);
});
