import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "pg";
import { TRAIL } from "../../local/cloud/aws/api/server";
import { type Connection, findConnection } from "../../local/cloud/aws/instance";
import { removeDeleted } from "../../local/cloud/aws/placement";
import { readSnapshot } from "../../local/cloud/aws/records";
import { api, connect, stopCloud } from "../../local/cloud/client";
import { toolsOf } from "../../local/cloud/command/tools";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { projectFolder } from "../by-hand/project";

const START = resolve(__dirname, "../../bin/start.cjs");

/** A call of RDS' API, as the local cloud's trail has it. */
export interface TrailCall {
  readonly action: string;
  readonly parameters: Readonly<Record<string, any>>;
  readonly error?: string;
}

/** How a run of the command ended. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  /** The last line of its output as JSON, of a run with `--json`. */
  readonly result: any;
}

/** A local cloud with databases, and a Pulumi project whose stacks name them, for one test file. */
export class World {
  readonly home = mkdtempSync(join(tmpdir(), "restore cloud "));
  readonly cloudDir = join(this.home, "cloud");
  readonly project: string;
  readonly #outputs = join(this.home, "outputs.json");

  constructor(stacks: Record<string, Record<string, unknown>>) {
    this.project = projectFolder(stacks);
    this.release(undefined);
  }

  /** Makes a database with its Secret. */
  async database(kind: "instance" | "cluster", identifier: string, pointInTime = false): Promise<Connection> {
    const cloud = await connect(this.cloudDir);
    const made = await cloud.call("aws.ensureInstance", { identifier, kind, database: "notes", pointInTime });
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: `${identifier}-url`, namespace: "default" },
      data: Object.fromEntries(
        ["url", "direct-url"].map((key) => [key, Buffer.from(made.adminUrl).toString("base64")]),
      ),
    };
    await cloud.call("kubernetes.apply", { object });
    return made;
  }

  /** Takes a snapshot, and waits for it. */
  async snapshot(kind: "instance" | "cluster", source: string, identifier: string): Promise<void> {
    const tags = { project: "shop", stack: "prod" };
    await (await connect(this.cloudDir)).call("aws.createSnapshot", { kind, source, identifier, tags });
    while (readSnapshot(this.cloudDir, kind, identifier)?.status !== "available")
      await new Promise((again) => setTimeout(again, 20));
  }

  /** What the stack's outputs say from now on; undefined: no release is complete. */
  release(outputs: Record<string, unknown> | undefined): void {
    const release = {
      ...{ releaseId: "3c037a2cb34e", snapshot: null, image: "notes:1", namespace: "default", service: "notes" },
      ...{ migrations: { last: null, count: 0, fingerprint: "f" }, url: "http://notes", restore: null, sizes: null },
      migrationBegan: null,
    };
    writeFileSync(this.#outputs, JSON.stringify(outputs ? { ...release, ...outputs } : {}));
  }

  /** Starts `restore`, in a process group of its own. */
  start(...words: string[]): Promise<{ child: ChildProcess; ended: Promise<Ran> }> {
    return this.startCommand("restore", ...words);
  }

  /** Starts a command by hand, in a process group of its own. */
  async startCommand(...words: string[]): Promise<{ child: ChildProcess; ended: Promise<Ran> }> {
    const { url, secret } = await api(this.cloudDir, "/rds");
    const child = spawn(process.execPath, [START, ...words], {
      cwd: this.project,
      detached: true,
      env: {
        ...{ ...process.env, ...toolsOf(this.cloudDir), RELEASE_LOCAL_RDS: url, RELEASE_STACK_OUTPUTS: this.#outputs },
        ...{ AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: secret },
      },
    });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    const ended = new Promise<Ran>((done) =>
      child.once("close", (status) => done({ status, out, err, result: lastJson(out) })),
    );
    return { child, ended };
  }

  async run(...words: string[]): Promise<Ran> {
    return (await this.start(...words)).ended;
  }

  /** Runs `ops` to its end. */
  async ops(...words: string[]): Promise<Ran> {
    return (await this.startCommand("ops", ...words)).ended;
  }

  /** Every call of RDS' API so far. */
  trail(): TrailCall[] {
    const file = join(this.cloudDir, TRAIL);
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  /** The calls that would have changed a database of one of these names, or a part of it. */
  touching(...identifiers: string[]): TrailCall[] {
    const own = ["DBInstanceIdentifier", "DBClusterIdentifier", "ResourceName", "TargetDBInstanceIdentifier"];
    return this.trail().filter(
      ({ action, parameters }) =>
        !action.startsWith("Describe") &&
        own.some((name) => identifiers.some((each) => [each, `${each}-1`].includes(String(parameters[name])))),
    );
  }

  /** The connection of a copy, by the roles of its backup. */
  connection(kind: "instance" | "cluster", identifier: string): Connection {
    const found = findConnection(this.cloudDir, kind, identifier);
    if (!found) throw new Error(`There is no ${kind} ${identifier}.`);
    return found;
  }

  /** The names of Jobs and their ConfigMaps in the cluster. */
  leftInCluster(): string[] {
    return ["Job", "ConfigMap"].flatMap((kind) =>
      listObjects(this.cloudDir, { kind, namespace: "default" }).map(({ metadata }) => metadata.name),
    );
  }

  async remove(): Promise<void> {
    await stopCloud(this.cloudDir);
    await removeDeleted(this.cloudDir);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function lastJson(text: string): unknown {
  try {
    return JSON.parse(text.trim().split("\n").at(-1) ?? "");
  } catch {
    return undefined;
  }
}

/** Runs SQL as the migration's role. */
export async function query(url: string, sql: string): Promise<any[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
