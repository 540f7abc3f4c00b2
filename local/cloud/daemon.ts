import { randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { writeAtomically } from "../../text/atomic";
import { systemErrorInWords } from "../system-error";
import { createAwsService } from "./aws/service";
import { endByDefect } from "./defect";
import { createKubernetesService } from "./kubernetes/service";
import { createNeonService } from "./neon/service";
import { describeProcess, type ProcessRecord } from "./process";
import { tryLock } from "./process-lock";
import type { Json } from "./provider";
import { createS3Service } from "./s3/service";
import type { Api, Method } from "./service";

/**
 * The background process of one stack's cloud. Like a real cloud, it outlives the command that started it: the app
 * keeps serving after `up` has ended, and after an `up` that was killed, a snapshot or a Job continues.
 *
 *     node --require tsx/cjs daemon.ts CLOUDDIR
 */
export interface DaemonRecord extends ProcessRecord {
  port: number;
  /** The bearer token. Any user who can read the file (mode 0600) may use the cloud. */
  token: string;
}

export const DAEMON_FILE = "daemon.json";
export const DAEMON_LOCK = "daemon.lock";

/** A method with any parameters. Its callers' parameters are checked by the compiler (`CloudMethods` in client.ts). */
type AnyMethod = Method<never, unknown>;

export async function runDaemon(cloudDir: string): Promise<void> {
  mkdirSync(cloudDir, { recursive: true, mode: 0o700 });
  // Another process was faster; the client that started this one finds that process.
  if (!tryLock(cloudDir, DAEMON_LOCK, "daemon")) return;

  // Node.js also raises this event for a rejected promise that is not awaited.
  process.on("uncaughtException", (error) => endByDefect(cloudDir, error));

  const aws = createAwsService(cloudDir);
  const services = {
    aws,
    kubernetes: createKubernetesService(cloudDir),
    s3: createS3Service(cloudDir),
    neon: createNeonService(cloudDir, aws.methods),
  };
  const methods = new Map<string, AnyMethod>();
  for (const [name, service] of Object.entries(services)) {
    for (const [method, run] of Object.entries<AnyMethod>({ ...service.methods }))
      methods.set(`${name}.${method}`, run);
  }

  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      const results = await Promise.allSettled(Object.values(services).map((service) => service.stop()));
      for (const result of results) if (result.status === "rejected") console.error(result.reason);
    })();
    return stopping;
  };

  const token = randomBytes(24).toString("hex");
  const apis = Object.values<{ api?: Api }>(services).flatMap(({ api }) => api ?? []);
  const server = createServer((request, response) => {
    const api = apis.find(({ path }) => request.url === path || request.url?.startsWith(`${path}/`));
    if (api) return void api.answer(request, response, token);
    if (!mayEnter(request, token)) return reply(response, 403, { error: { name: "Error", message: "wrong token" } });
    if (request.url === "/ping") return reply(response, 200, { result: null });
    if (request.url === "/stop") {
      void stop().then(() => {
        reply(response, 200, { result: null });
        response.once("close", () => process.exit(0));
      });
      return;
    }
    void answer(methods, request, response);
  });
  // The request's timeout is disabled: waiting for a snapshot or a rollout is one request that may take an hour.
  server.requestTimeout = 0;
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", listening);
  });

  const { port } = server.address() as AddressInfo;
  const record: DaemonRecord = { ...describeProcess(process.pid)!, port, token };
  writeAtomically(join(cloudDir, DAEMON_FILE), JSON.stringify(record));
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => void stop().then(() => process.exit(0)));
  endWithDirectory(cloudDir, stop);
}

async function answer(
  methods: Map<string, AnyMethod>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const caller = new AbortController();
  response.once("close", () => caller.abort());
  try {
    const name = decodeURIComponent(request.url?.replace("/call/", "") ?? "");
    const method = methods.get(name);
    if (!method) throw new Error(`The local cloud has no method ${name}.`);
    const result = await method((await readBody(request)) as never, { signal: caller.signal });
    reply(response, 200, { result: result ?? null });
  } catch (thrown) {
    const error = thrown as Error & { data?: Json };
    const message = systemErrorInWords(error) ?? error.message;
    reply(response, 200, { error: { name: error.name, message, data: error.data ?? null } });
  }
}

function mayEnter(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? null : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as Json);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Stops the cloud when its folder is deleted, since `down` can't stop it after `rm -rf` of a checkout. */
function endWithDirectory(cloudDir: string, stop: () => Promise<void>): void {
  const { dev, ino } = statSync(cloudDir);
  const timer = setInterval(() => {
    const now = statSync(cloudDir, { throwIfNoEntry: false });
    if (now?.ino === ino && now.dev === dev) return;
    clearInterval(timer);
    void stop().then(() => process.exit(0));
  }, 1_000);
}

if (require.main === module) {
  const directory = process.argv[2];
  if (!directory) throw new Error("usage: daemon.ts CLOUDDIR");
  runDaemon(resolve(directory)).catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
