import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const LOOPBACK = join(__dirname, "../../../../local/cloud/kubernetes/loopback.cjs");

test("a program in a local pod listens on 127.0.0.1 only, however it asks", () => {
  const program = `
    const { createServer } = require("node:net");
    const http = require("node:http");
    const done = () => {};
    const calls = [
      [], [done], [0], ["0"], [0, done], [0, "0.0.0.0"], [0, "::", done], [0, undefined, done], [0, 5, done],
      [undefined, done], [null], [0, "0.0.0.0", 5, done], [{ port: 0 }], [{ port: 0, host: "0.0.0.0" }, done], [{ port: "0", host: "::" }],
    ];
    Promise.all(calls.flatMap((args) => [createServer(), http.createServer()].map((server) => new Promise((tell, fail) => {
      server.once("error", fail).once("listening", () => { tell(server.address().address); server.close(); }).listen(...args);
    })))).then((addresses) => console.log(addresses.length, ...new Set(addresses)));
  `;
  const ran = execFileSync(process.execPath, ["--require", LOOPBACK, "-e", program], { encoding: "utf8" });
  expect(ran.trim()).toBe("30 127.0.0.1");
});

test("a program in a local pod may listen on a socket file as before", () => {
  const program = `
    const path = require("node:path").join(require("node:fs").mkdtempSync(require("node:os").tmpdir() + "/s-"), "socket");
    const server = require("node:net").createServer();
    server.listen(path, () => { console.log(server.address() === path); server.close(() => server.listen({ path }, () => { console.log(server.address() === path); server.close(); })); });
  `;
  const ran = execFileSync(process.execPath, ["--require", LOOPBACK, "-e", program], { encoding: "utf8" });
  expect(ran.trim().split("\n")).toEqual(["true", "true"]);
});
