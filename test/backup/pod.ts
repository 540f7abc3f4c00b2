import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decrypter } from "age-encryption";
import { bundleDump, bundleRestore } from "../../backup/bundle";
import { parallelDumpScript, SCRATCH_VARIABLE } from "../../backup/parallel";
import { dumpScript, FOLDER_VARIABLE, NODE_FLAGS, PREPARE_SCRIPT } from "../../backup/pod-folder";
import { KEY_FILE, restoreScript } from "../../backup/restore-pod";
import { VERSIONS } from "../../embedded/majors";
import type { Fault } from "../../local/cloud/aws/faults";
import { Objects } from "../../local/cloud/s3/objects";
import { createS3Server } from "../../local/cloud/s3/server";

/** The key pairs of the tests, made by `age-keygen`. */
export const KEYS = [
  {
    recipient: "age12gasdq30yvjs4tz9hxaq8av8q4k0e6trcsyp7zfrxll9lntzvsgs67cnlz",
    identity: "AGE-SECRET-KEY-137L58U7GUCVK7YLQH0NT8LSX9KL84L6X4ATMT3Q6AVNC5RUWTQDQFF2ARE",
  },
] as const;

/** The major version of `pg_dump` on PATH; undefined if there is none, or no server of its version for the tests. */
export function clientMajor(): number | undefined {
  try {
    const printed = execFileSync("pg_dump", ["--version"], { encoding: "utf8" });
    const major = Number(/(\d+)/.exec(printed)?.[1]);
    return major in VERSIONS ? major : undefined;
  } catch {
    return undefined;
  }
}

/** The program that stores dumps, as a file; built once. */
let built: string | undefined;
export function dumpProgram(): string {
  if (built === undefined) {
    built = join(mkdtempSync(join(tmpdir(), "dump-program-")), "dump.cjs");
    writeFileSync(built, bundleDump());
  }
  return built;
}

/** A store for one test: the stand-in of the local cloud, in this process. */
export class TestStore {
  readonly faults = new Set<Fault>();
  readonly directory = mkdtempSync(join(tmpdir(), "dump-store-"));
  readonly objects = new Objects(this.directory);
  readonly credentials = { accessKeyId: "AKIATESTKEY0", secretAccessKey: "canary-store-secret-93ab" };
  private readonly server = createS3Server({
    directory: this.directory,
    credentials: this.credentials,
    hasFault: (fault) => this.faults.has(fault),
  });

  async start(): Promise<this> {
    this.objects.makeBucket("backups");
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    return this;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get environment(): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: this.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** How a pod differs from the usual one. */
export interface PodOptions {
  readonly url: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Options of the storing program. Those of a name, a stack and so on are there already. */
  readonly args: readonly string[];
  readonly lockSeconds?: number;
  /** The connections of a parallel dump; default: the dump is streamed. */
  readonly jobs?: number;
  /** The seconds without a sign of life after which one container gives the other up. Default: 30. */
  readonly silentSeconds?: number;
  /** A folder with other programs of the names `pg_dump` and `pg_restore`, in front of PATH. */
  readonly programs?: string;
}

/** The name of the dump that a pod takes, unless the test sets another. */
export const NAME = "notes.prod/notes-3f2a9c41b07e";

/** One pod of a dump's Job: the init container has run, and both containers run as processes. */
export class DumpPod {
  readonly folder = mkdtempSync(join(tmpdir(), "dump-pod-"));
  readonly scratch = mkdtempSync(join(tmpdir(), "dump-scratch-"));
  readonly store: ChildProcess;
  readonly client: ChildProcess;
  log = "";
  clientLog = "";
  readonly ended: Promise<number>;

  constructor({ url, environment = {}, args, lockSeconds = 5, silentSeconds = 30, programs, jobs }: PodOptions) {
    const PATH = [...(programs === undefined ? [] : [programs]), process.env["PATH"]].join(":");
    const shared = { PATH, [FOLDER_VARIABLE]: this.folder, [SCRATCH_VARIABLE]: this.scratch };
    execFileSync("sh", ["-c", PREPARE_SCRIPT], { env: shared });
    const start = (command: string, words: readonly string[], env: Record<string, string>) =>
      spawn(command, words, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const script =
      jobs === undefined
        ? dumpScript(lockSeconds, silentSeconds)
        : parallelDumpScript(lockSeconds, jobs, silentSeconds);
    this.client = start("sh", ["-c", script], shared);
    const words = [...NODE_FLAGS, dumpProgram(), "--folder", this.folder, "--project", "notes", "--stack", "prod"];
    const names = ["--name", NAME, "--app", "notes", "--fingerprint", "3f2a9c41b07e", "--image", "postgres:test"];
    const given = [
      ...(args.includes("--name") ? names.slice(2) : names),
      ...(jobs === undefined ? [] : ["--jobs", String(jobs)]),
    ];
    const own = { PATH, DATABASE_URL: url, RELEASE_ID: "0123456789ab", ...environment };
    this.store = start(
      process.execPath,
      [...words, ...given, "--connect-wait", "1s", "--silent", `${silentSeconds}s`, ...args],
      own,
    );
    for (const stream of [this.store.stdout!, this.store.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    for (const stream of [this.client.stdout!, this.client.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => (this.clientLog += text));
    this.ended = Promise.all([closed(this.store), closed(this.client)]).then(([status]) => {
      for (const folder of [this.folder, this.scratch]) rmSync(folder, { recursive: true, force: true });
      return status;
    });
  }

  /** Ends a container with all its processes, as the system does that is short of memory. */
  kill(container: "store" | "client"): void {
    process.kill(-this[container].pid!, "SIGKILL");
  }
}

function closed(child: ChildProcess): Promise<number> {
  return new Promise((ended) => child.once("close", (code, signal) => ended(code ?? (signal ? 137 : 1))));
}

/** Runs a pod to its end. */
export async function runDump(options: PodOptions): Promise<{ status: number; log: string; clientLog: string }> {
  const pod = new DumpPod(options);
  const status = await pod.ended;
  return { status, log: pod.log, clientLog: pod.clientLog };
}

/** How a restore's pod differs from the usual one. */
export interface RestorePodOptions extends Omit<PodOptions, "lockSeconds"> {
  /** The verb of the restoring program; default: `restore`. */
  readonly verb?: "look" | "restore" | "remove";
  /** The key of the dump's file; default: the pod has none. */
  readonly fileKey?: Uint8Array;
}

let restoring: string | undefined;
function restoreProgram(): string {
  if (restoring === undefined) {
    restoring = join(mkdtempSync(join(tmpdir(), "restore-program-")), "restore-dump.cjs");
    writeFileSync(restoring, bundleRestore());
  }
  return restoring;
}

/** One pod of a restore's Job. */
export class RestorePod {
  readonly folder = mkdtempSync(join(tmpdir(), "restore-pod-"));
  readonly scratch = mkdtempSync(join(tmpdir(), "restore-scratch-"));
  readonly store: ChildProcess;
  readonly client: ChildProcess | undefined;
  log = "";
  readonly ended: Promise<number>;

  constructor({
    url,
    environment = {},
    args,
    verb = "restore",
    fileKey,
    silentSeconds = 30,
    programs,
  }: RestorePodOptions) {
    const PATH = [...(programs === undefined ? [] : [programs]), process.env["PATH"]].join(":");
    const shared = { PATH, [FOLDER_VARIABLE]: this.folder, [SCRATCH_VARIABLE]: this.scratch };
    execFileSync("sh", ["-c", PREPARE_SCRIPT], { env: shared });
    const keys = mkdtempSync(join(tmpdir(), "restore-key-"));
    if (fileKey) writeFileSync(join(keys, KEY_FILE), Buffer.from(fileKey).toString("base64"));
    const start = (command: string, words: readonly string[], env: Record<string, string>) =>
      spawn(command, words, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    if (verb === "restore") this.client = start("sh", ["-c", restoreScript(silentSeconds)], shared);
    const words = [...NODE_FLAGS, restoreProgram(), verb, "--folder", this.folder, "--key-folder", keys];
    const names = ["--project", "notes", "--stack", "prod", "--image", "postgres:test", "--connect-wait", "1s"];
    this.store = start(process.execPath, [...words, ...names, "--silent", `${silentSeconds}s`, ...args], {
      ...{ PATH, DATABASE_URL: url },
      ...environment,
    });
    for (const child of [this.store, ...(this.client ? [this.client] : [])])
      for (const stream of [child.stdout!, child.stderr!])
        stream.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    const others = this.client ? [closed(this.client)] : [];
    this.ended = Promise.all([closed(this.store), ...others]).then(([status]) => {
      for (const folder of [this.folder, this.scratch, keys]) rmSync(folder, { recursive: true, force: true });
      return status;
    });
  }

  /** The fields of the last event of a name. */
  event(name: string): any {
    const lines = this.log.split("\n").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line)).findLast(({ event }) => event === name);
  }

  kill(container: "store" | "client"): void {
    process.kill(-this[container]!.pid!, "SIGKILL");
  }
}

/** Runs a restore's pod to its end. */
export async function runRestorePod(options: RestorePodOptions): Promise<RestorePod & { status: number }> {
  const pod = new RestorePod(options);
  const status = await pod.ended;
  return Object.assign(pod, { status });
}

/** Returns the key of one file, as the command `restore` gets it from the header and a private key. */
export async function fileKeyOf(header: string, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decryptHeader(Buffer.from(header, "base64"));
}
