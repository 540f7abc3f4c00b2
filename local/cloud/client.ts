import { spawn } from "node:child_process";
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { readJson } from "../../text/atomic";
import { makeFolder } from "../../text/make-folder";
import { type AwsMethods, stopAws } from "./aws/service";
import { DAEMON_FILE, DAEMON_LOCK, type DaemonRecord } from "./daemon";
import { forgetDefect, readDefect } from "./defect";
import { type KubernetesMethods, stopKubernetes } from "./kubernetes/service";
import type { NeonMethods } from "./neon/service";
import { isRunning, killGroup, waitForEnd } from "./process";
import { lockHolder, type ProcessLock, tryLock } from "./process-lock";
import type { Json } from "./provider";
import type { S3Methods } from "./s3/service";
import type { Method } from "./service";

const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 60_000;
const LOG_LIMIT = 1024 * 1024;

type Named<Service extends string, Methods> = {
  [Name in keyof Methods & string as `${Service}.${Name}`]: Methods[Name];
};

/** All methods of the background process by the name that a request contains, such as `aws.createSnapshot`. */
export type CloudMethods = Named<"aws", AwsMethods> &
  Named<"kubernetes", KubernetesMethods> &
  Named<"s3", S3Methods> &
  Named<"neon", NeonMethods>;

type Of<Name extends keyof CloudMethods> =
  CloudMethods[Name] extends Method<infer Parameters, infer Result>
    ? { parameters: Parameters; result: Result }
    : never;

export interface Client {
  /**
   * Runs a method in the background process and waits for its result, without a timeout. Aborting the signal ends only
   * the waiting; work that the method has begun in the cloud continues.
   *
   * @throws CloudError with the name, message and data of the error that the method threw
   * @throws CloudUnreachable when the background process ended meanwhile
   */
  call<Name extends keyof CloudMethods>(
    method: Name,
    parameters: Of<Name>["parameters"],
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Of<Name>["result"]>;
}

/** An error that a service threw in the background process. */
export class CloudError extends Error {
  constructor(
    name: string,
    message: string,
    readonly data: Json,
  ) {
    super(message);
    this.name = name;
  }
}

/** The background process does not start, does not answer, or ended during a call. */
class CloudUnreachable extends Error {
  override readonly name = "CloudUnreachable";
}

/** Connects to the background process of this cloud and starts it if necessary. Concurrent calls are allowed. */
export async function connect(cloudDir: string): Promise<Client> {
  const directory = resolve(cloudDir);
  const record = (await answering(directory)) ?? (await startTelling(directory));
  return {
    async call<Name extends keyof CloudMethods>(
      method: Name,
      parameters: Of<Name>["parameters"],
      { signal }: { signal?: AbortSignal | undefined } = {},
    ) {
      signal?.throwIfAborted();
      try {
        return (await send(record, `/call/${encodeURIComponent(method)}`, parameters, signal)) as Of<Name>["result"];
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof CloudError) throw error;
        throw new CloudUnreachable(
          `${readDefect(directory) ?? `The local cloud's background process ended (${(error as Error).message}).`} It ran ${method}. ` +
            `Run the same command again: it starts a new one, which goes on from what is on disk. Its log: ${join(directory, "daemon.log")}`,
        );
      }
    },
  };
}

/**
 * Returns where the background process answers other programs in the protocol of the real cloud, and the secret key with
 * which they sign. It is started if necessary.
 */
export async function api(cloudDir: string, path: string): Promise<{ url: string; secret: string }> {
  const directory = resolve(cloudDir);
  const { port, token } = (await answering(directory)) ?? (await startTelling(directory));
  return { url: `http://127.0.0.1:${port}${path}`, secret: token };
}

/** Whether the background process of this cloud is running and answers. It is not started. */
export async function running(cloudDir: string): Promise<boolean> {
  return (await answering(resolve(cloudDir))) !== undefined;
}

/**
 * Ends everything of this cloud: the background process, pods, Service ports and Postgres servers, even if the
 * background process has ended or does not answer. Data stays. Returns when everything has ended.
 */
export async function stopCloud(cloudDir: string): Promise<void> {
  const directory = resolve(cloudDir);
  // Servers keep running when their folder is deleted; the background process and its pods end by themselves then.
  if (!statSync(directory, { throwIfNoEntry: false })) return stopAws(directory);
  for (const end = Date.now() + STOP_TIMEOUT; ; ) {
    const record = await answering(directory, 3_000);
    if (record) {
      await withTimeout(send(record, "/stop", null), STOP_TIMEOUT / 2).catch(() => undefined);
      await waitForEnd(record, 2_000);
    }
    const holder = lockHolder(directory, DAEMON_LOCK);
    if (holder?.purpose === "daemon" && !(await waitForEnd(holder, 2_000))) await killGroup(holder);
    const lock = tryStopLock(directory);
    if (lock) {
      try {
        await Promise.all([stopKubernetes(directory), stopAws(directory)]);
        rmSync(join(directory, DAEMON_FILE), { force: true });
      } finally {
        lock.release();
      }
      return;
    }
    if (Date.now() > end) throw new CloudUnreachable(`The local cloud in ${directory} could not be stopped.`);
    await new Promise((passed) => setTimeout(passed, 20));
  }
}

/** Takes the lock so that no new background process can start while things are being stopped. */
function tryStopLock(directory: string): ProcessLock | undefined {
  try {
    return tryLock(directory, DAEMON_LOCK, "stop");
  } catch (error) {
    // If nothing can be written here, no background process can take the lock either.
    if (!["ENOSPC", "EDQUOT", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return { release: () => undefined };
  }
}

async function answering(directory: string, patience = 10_000): Promise<DaemonRecord | undefined> {
  let record: DaemonRecord | undefined;
  try {
    record = readJson<DaemonRecord>(join(directory, DAEMON_FILE));
  } catch {
    return undefined;
  }
  if (!record || !isRunning(record)) return undefined;
  try {
    await withTimeout(send(record, "/ping", null), patience);
    return record;
  } catch {
    return undefined;
  }
}

/** Starts the background process. If the last one ended with an unexpected error, that error is reported first. */
async function startTelling(directory: string): Promise<DaemonRecord> {
  const defect = readDefect(directory);
  if (defect !== undefined) {
    process.stderr.write(`${defect} It is started again now. Its log: ${join(directory, "daemon.log")}\n`);
    forgetDefect(directory);
  }
  return start(directory);
}

async function start(directory: string): Promise<DaemonRecord> {
  makeFolder(directory, 0o700);
  let launched: { ended: boolean } | undefined;
  for (const end = Date.now() + START_TIMEOUT; Date.now() < end; ) {
    if ((!launched || launched.ended) && !lockHolder(directory, DAEMON_LOCK)) launched = launch(directory);
    await new Promise((passed) => setTimeout(passed, 10));
    const record = await answering(directory);
    if (record) return record;
    const defect = readDefect(directory);
    if (defect !== undefined) {
      throw new CloudUnreachable(
        `${defect} Why is in ${join(directory, "daemon.log")}; once mended, run the same command again.`,
      );
    }
  }
  throw new CloudUnreachable(
    `The local cloud's background process did not start within ${START_TIMEOUT / 1000} s; nothing was changed. ` +
      `Why is in ${join(directory, "daemon.log")}`,
  );
}

function launch(directory: string): { ended: boolean } {
  const state = { ended: false };
  const logFile = join(directory, "daemon.log");
  const tooLong = (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT;
  const log = openSync(logFile, tooLong ? "w" : "a", 0o600);
  // tsx/cjs starts in half the time of `--import tsx`, which needs a thread for the loader of ES modules.
  const child = spawn(
    process.execPath,
    ["--require", require.resolve("tsx/cjs"), join(__dirname, "daemon.ts"), directory],
    { cwd: resolve(__dirname, "../.."), detached: true, stdio: ["ignore", log, log], env: environment() },
  );
  closeSync(log);
  child.once("error", () => {
    state.ended = true;
  });
  child.once("exit", () => {
    state.ended = true;
  });
  child.unref();
  return state;
}

/** The environment of the background process. It outlives the command, so it must not keep the command's secrets. */
function environment(): NodeJS.ProcessEnv {
  const kept = [
    ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"],
    "LOCAL_POSTGRES",
  ];
  return Object.fromEntries(kept.filter((name) => process.env[name] !== undefined).map((n) => [n, process.env[n]]));
}

function send(record: DaemonRecord, path: string, body: unknown, signal?: AbortSignal): Promise<Json> {
  return new Promise((fulfil, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port: record.port,
        method: "POST",
        path,
        agent: false,
        signal,
        headers: { authorization: `Bearer ${record.token}`, "content-type": "application/json" },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("aborted", () => reject(new Error("connection lost")));
        response.once("end", () => {
          const answer = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
            result?: Json;
            error?: { name: string; message: string; data: Json };
          };
          if (answer.error) reject(new CloudError(answer.error.name, answer.error.message, answer.error.data));
          else fulfil(answer.result ?? null);
        });
      },
    );
    sent.once("error", reject);
    sent.end(JSON.stringify(body ?? null));
  });
}

async function withTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
