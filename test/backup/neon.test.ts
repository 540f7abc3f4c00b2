import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { parentOf } from "../../backup/branch/parent";
import type { NeonBranch } from "../../backup/neon/answers";
import { NeonApi } from "../../backup/neon/api";
import { NeonError, NeonUnreachable } from "../../backup/neon/error";

const BRANCH: NeonBranch = {
  id: "br-main-1",
  project_id: "p",
  name: "production",
  current_state: "ready",
  created_at: "2026-11-30T10:00:00Z",
  default: true,
  protected: false,
  annotation: {},
};
const STAGING: NeonBranch = { ...BRANCH, id: "br-staging-2", name: "staging", default: false };
const ENDPOINTS = [
  {
    id: "ep-cool-darkness-123456",
    host: "ep-cool-darkness-123456.us-east-2.aws.neon.tech",
    branch_id: "br-main-1",
    type: "read_write",
  },
];

describe("the branch that is backed up", () => {
  const ask = (host: string, wanted?: string) =>
    parentOf({ project: "p", wanted, host, port: 5432, endpoints: ENDPOINTS, branches: [BRANCH, STAGING] });

  test.each([
    "ep-cool-darkness-123456.us-east-2.aws.neon.tech",
    "ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech",
    "ep-cool-darkness-123456.c-2.us-east-2.aws.neon.tech",
    "ep-cool-darkness-123456-pooler.c-2.us-east-2.aws.neon.tech",
  ])("is the one behind %s", (host) => {
    expect(ask(host)).toEqual({ branch: BRANCH, seen: true });
    expect(ask(host, "production")).toEqual({ branch: BRANCH, seen: true });
    expect(ask(host, "br-main-1")).toEqual({ branch: BRANCH, seen: true });
    expect(() => ask(host, "staging")).toThrow(/is branch production, and backup\.branch\.parent is staging/);
  });

  test("is refused behind a host of another project", () => {
    expect(() => ask("ep-other-1.us-east-2.aws.neon.tech", "production")).toThrow(/no compute of Neon's project p/);
  });

  test("is only believed behind a host that isn't Neon's", () => {
    expect(ask("postgres.internal", "staging")).toEqual({ branch: STAGING, seen: false });
    expect(() => ask("postgres.internal")).toThrow(
      /which branch of project p answers at postgres\.internal is unknown/,
    );
  });
});

describe("a request to Neon's API", () => {
  let http: Server;
  let count: number;
  afterEach(() => {
    http.closeAllConnections();
    http.close();
  });

  async function api(answers: readonly (readonly [status: number, body: string])[]): Promise<NeonApi> {
    count = 0;
    http = createServer((_, response) => {
      const [status, body] = answers[Math.min(count++, answers.length - 1)]!;
      if (status === 0) return void response.destroy();
      response.writeHead(status, status === 302 ? { location: "http://127.0.0.1:1/" } : {}).end(body);
    });
    await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
    const endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const signal = AbortSignal.timeout(30_000);
    return new NeonApi({ endpoint, key: "napi_canary-5", project: "p", signal, firstPauseMs: 1 });
  }
  const BRANCHES = JSON.stringify({ branches: [BRANCH] });

  test("that only reads is repeated when no answer comes or Neon is broken", async () => {
    expect(
      await (
        await api([
          [0, ""],
          [500, "oops"],
          [503, "{}"],
          [200, BRANCHES],
        ])
      ).branches(),
    ).toEqual([BRANCH]);
    expect(count).toBe(4);
  });

  test("that changes something is repeated only when Neon has surely not heard it", async () => {
    const wanted = { name: "n", parent_id: "br-main-1", annotation: {} };
    await expect((await api([[0, ""]])).createBranch(wanted)).rejects.toThrow(NeonUnreachable);
    expect(count).toBe(1);
    await expect((await api([[500, "{}"]])).createBranch(wanted)).rejects.toThrow(NeonError);
    expect(count).toBe(1);
    const made = JSON.stringify({ branch: STAGING, operations: [] });
    for (const status of [423, 429, 503]) {
      await (
        await api([
          [status, "{}"],
          [201, made],
        ])
      ).createBranch(wanted);
      expect(count).toBe(2);
    }
  });

  test("is not repeated without end", async () => {
    await expect((await api([[0, ""]])).branches()).rejects.toThrow(/^No connection to http/);
    expect(count).toBe(7);
  });

  test("doesn't send the key to where Neon's answer leads", async () => {
    await expect((await api([[302, ""]])).branches()).rejects.toThrow(NeonUnreachable);
  });

  test("says what a wrong answer was, without the key", async () => {
    const error = await (await api([[200, "<html>login</html>"]])).branches().catch((thrown: Error) => thrown);
    expect(String(error)).toContain("GET /projects/p/branches");
    expect(String(error)).toContain("an answer that is not Neon's");
    expect(String(error)).not.toContain("napi_");
    const refused = (await api([[403, JSON.stringify({ code: "", message: "not allowed" })]])).branches();
    await expect(refused).rejects.toMatchObject({ status: 403, reason: "not allowed" });
  });

  test("reads every page of a list", async () => {
    const page = (branch: NeonBranch, next?: string) =>
      JSON.stringify({ branches: [branch], pagination: next ? { next } : {} });
    expect(
      await (
        await api([
          [200, page(BRANCH, "x")],
          [200, page(STAGING)],
        ])
      ).branches(),
    ).toEqual([BRANCH, STAGING]);
  });
});
