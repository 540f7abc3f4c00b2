import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { Connection } from "../../local/cloud/aws/instance";
import { removeDeleted } from "../../local/cloud/aws/placement";
import { listSnapshots } from "../../local/cloud/aws/records";
import { connect, stopCloud } from "../../local/cloud/client";
import { type ProcessRecord, signalProcess } from "../../local/cloud/process";
import type { EngineResult, StepEvent } from "../../local/engine/events";
import { stackDirectory } from "../../local/engine/state";
import { cliCheckpoint, readCheckpoint } from "../../local/plugin/checkpoint";
import * as cli from "../../local/plugin/pulumi-cli";
import { readStack } from "../../local/stack";
import { readText } from "../../text/atomic";
import { type Forward, forwardFor } from "./forward";
import { kubeconfigOf, kubectl, list } from "./kubectl";
import { descendantsOf } from "./processes";

const CHECKOUT = join(__dirname, "../..");
const COMMANDS = { up: cli.up, preview: cli.preview, destroy: cli.destroy, refresh: cli.refresh };

export interface Release {
  result: EngineResult;
  steps: StepEvent[];
  /** All that was said about what went wrong. */
  said: string;
  seconds: number;
  /** It was interrupted because it took too long. */
  overdue: boolean;
}

/** A run of `npm run ops` or `npm run restore`. */
export interface OpsRun {
  readonly child: ChildProcess;
  /** All that it printed so far. */
  said(): string;
  /** Its exit status. */
  readonly ended: Promise<number | null>;
}

/** What happens beside a command. */
export interface Meanwhile {
  /** At the first such step … */
  at?(step: StepEvent): boolean;
  /** … this is done; what goes wrong with it goes wrong with the scenario. */
  act?(): Promise<void>;
  onSaid?(text: string): void;
}

/** No command of a scenario may take longer: a release that hangs is what they are to find. */
const BOUND_SECONDS = 240;
/** An interrupted one that still does not end is left. */
const PATIENCE_SECONDS = 60;

/** A namespace of the cluster under Pod Security "restricted", the local RDS beside it, and the program as it is. */
export class World {
  readonly namespace = `release-e2e-${process.pid}`;
  private readonly directory = mkdtempSync(join(tmpdir(), "release-e2e-"));
  private readonly settings = new Map<string, string>();
  private readonly kubeconfigs = new Map<string, string>();
  private readonly stopped = new AbortController();
  private readonly orphans: ProcessRecord[] = [];
  private forward: Forward | undefined;
  private database: Connection | undefined;

  static async open(env: NodeJS.ProcessEnv): Promise<World> {
    const world = new World();
    try {
      await world.prepare(env);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  get migrations(): string {
    return join(this.directory, "migrations");
  }

  /** The folder of the volume for dumps. */
  readonly volume = mkdtempSync(join(tmpdir(), "release-e2e-volume-"));

  /** Where the page of each release is written. */
  get reports(): string {
    return join(this.directory, "reports");
  }

  /** Of the app's image, as it is set. */
  get version(): string {
    return this.settings.get("app.image")!.split(":").at(-1)!;
  }

  set(key: string, value: string | undefined): void {
    if (value === undefined) this.settings.delete(key);
    else this.settings.set(key, value);
  }

  /** Gives what puts the settings back to what they are now. */
  remember(): () => void {
    const before = [...this.settings];
    return () => {
      this.settings.clear();
      for (const [key, value] of before) this.settings.set(key, value);
    };
  }

  migration(name: string, sql: string | undefined): void {
    const folder = join(this.migrations, name);
    rmSync(folder, { recursive: true, force: true });
    if (sql === undefined) return;
    mkdirSync(folder);
    writeFileSync(join(folder, "migration.sql"), sql);
  }

  /** Runs the program with the CLI and with no more rights than `role` has. */
  async run(
    verb: keyof typeof COMMANDS,
    role: "up" | "preview",
    { at, act, onSaid }: Meanwhile = {},
  ): Promise<Release> {
    if (this.stopped.signal.aborted) throw new Error("interrupted");
    const config = [...this.settings].map(([key, value]) => `${key}=${value}`);
    const stack = readStack({ directory: CHECKOUT, name: "local", stateDir: this.directory, overrides: config });
    const steps: StepEvent[] = [];
    const diagnostics: string[] = [];
    const begun = Date.now();
    const soft = new AbortController();
    this.interrupt = () => soft.abort();
    let overdue = false;
    const bound = setTimeout(() => {
      overdue = true;
      soft.abort();
    }, BOUND_SECONDS * 1000);
    const patience = AbortSignal.timeout((BOUND_SECONDS + PATIENCE_SECONDS) * 1000);
    let meanwhile: Promise<void> | undefined;
    process.env["KUBECONFIG"] = this.kubeconfigs.get(role);
    const running = COMMANDS[verb]({
      ...stack,
      stack: stack.name,
      packages: ["aws"],
      signal: soft.signal,
      hardSignal: AbortSignal.any([patience, this.stopped.signal]),
      onEvent(event) {
        if (event.kind === "diagnostic") {
          diagnostics.push(event.message);
          onSaid?.(event.message);
        }
        if (event.kind !== "step") return;
        steps.push(event);
        if (!meanwhile && at?.(event)) meanwhile = act?.();
        // Awaited below.
        meanwhile?.catch(() => {});
      },
    });
    process.env["KUBECONFIG"] = this.kubeconfigs.get("own");
    const result = await running.finally(() => clearTimeout(bound));
    if (at && !meanwhile)
      throw new Error(`what the scenario waits for never came: ${[...result.errors, ...diagnostics]}`);
    await meanwhile;
    const errors = steps.flatMap(({ error }) => error ?? []);
    const said = [...result.errors, ...errors, ...diagnostics].join("\n");
    return { result, steps, said, seconds: (Date.now() - begun) / 1000, overdue };
  }

  /** Starts `npm run ops` for this world's stack, with no more rights than its role has. */
  ops(...words: string[]): OpsRun {
    return this.byHand("ops", words);
  }

  /** Starts `npm run restore` likewise. It reads the outputs of the stack from a file, and needs no CLI. */
  restore(...words: string[]): OpsRun {
    const outputs = join(this.directory, "outputs.json");
    const { resources = [] } = readCheckpoint(this.directory, "release", "local")?.checkpoint.latest ?? {};
    const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
    writeFileSync(outputs, JSON.stringify(stack?.outputs ?? {}));
    return this.byHand("restore", words, { RELEASE_STACK_OUTPUTS: outputs });
  }

  private byHand(command: "ops" | "restore", words: readonly string[], environment: NodeJS.ProcessEnv = {}): OpsRun {
    const stack = readStack({
      directory: CHECKOUT,
      name: "local",
      stateDir: this.directory,
      overrides: [...this.settings].map(([key, value]) => `${key}=${value}`),
    });
    const folder = join(this.directory, "ops");
    mkdirSync(folder, { recursive: true });
    // JSON is YAML.
    writeFileSync(join(folder, "Pulumi.yaml"), JSON.stringify({ name: stack.project, runtime: "nodejs" }));
    const config = Object.entries(stack.settings).map(([key, value]) => [`${stack.project}:${key}`, value]);
    writeFileSync(join(folder, "Pulumi.local.yaml"), JSON.stringify({ config: Object.fromEntries(config) }));
    const access = ["--stack", "local", "--kubeconfig", this.kubeconfigs.get(command === "ops" ? "ops" : "switch")!];
    const child = spawn(process.execPath, [join(CHECKOUT, "bin/start.cjs"), command, ...words, ...access], {
      cwd: folder,
      env: { ...process.env, ...environment },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, said: () => said, ended };
  }

  /** Asks the command that runs to finish what it does. */
  interrupt: () => void = () => {};

  /** `kill -9` of the CLI: what it had started is left alone, as in life. */
  kill(): void {
    const file = join(stackDirectory(this.directory, "release", "local"), "pulumi/process.json");
    const cli = JSON.parse(readText(file) ?? "") as ProcessRecord;
    this.orphans.push(...descendantsOf(cli.pid));
    signalProcess(cli, "SIGKILL");
  }

  /** Does to the CLI's record of the stack what a `kill -9` during its write can do. */
  emptyCheckpoint(): void {
    writeFileSync(cliCheckpoint(this.directory, "release", "local"), "");
  }

  /** Ends the command that runs, and begins no other. */
  stop(): void {
    this.stopped.abort();
  }

  /** Rows of the one text column that the query gives. */
  async query(sql: string): Promise<string[]> {
    const client = new Client({ connectionString: this.database?.adminUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ text: string }>(sql);
      return rows.map(({ text }) => text);
    } finally {
      await client.end();
    }
  }

  async applied(): Promise<string[]> {
    return this.query("SELECT migration_name AS text FROM _prisma_migrations WHERE finished_at IS NOT NULL");
  }

  /** Makes a second database in RDS, which no Secret leads to; returns where RDS says that it is. */
  async otherDatabase(identifier: string, region?: string): Promise<string> {
    const cloud = await connect(this.cloudDir);
    const wanted = { identifier, kind: "instance" as const, database: "notes", region };
    const { host, port } = await cloud.call("aws.ensureInstance", wanted);
    return `${host}:${port}`;
  }

  /** The identifiers of all snapshots in RDS. */
  async snapshots(): Promise<string[]> {
    return (await listSnapshots(this.cloudDir)).map(({ identifier }) => identifier);
  }

  /** The names of the providers in the CLI's record of the stack, with their package. */
  providers(): string[] {
    const urns = readCheckpoint(this.directory, "release", "local")?.checkpoint.latest?.resources?.map(
      ({ urn }) => urn,
    );
    return (urns ?? []).flatMap((urn) => /::pulumi:providers:(\w+::[\w-]+)$/.exec(urn)?.[1] ?? []).sort();
  }

  /** Ends everything that was started, on the cluster and here. */
  async close(): Promise<void> {
    for (const orphan of this.orphans) signalProcess(orphan, "SIGKILL");
    try {
      await kubectl(["delete", "namespace", this.namespace, "--ignore-not-found", "--timeout", "110s"]);
    } finally {
      this.forward?.close();
      await stopCloud(this.cloudDir);
      await kubectl(["delete", "persistentvolume", this.namespace, "--ignore-not-found"]);
      for (const folder of [this.directory, this.volume])
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      await removeDeleted(this.cloudDir);
    }
  }

  private get cloudDir(): string {
    return join(stackDirectory(this.directory, "release", "local"), "cloud");
  }

  private async prepare(env: NodeJS.ProcessEnv): Promise<void> {
    this.kubeconfigs.set("own", env["KUBECONFIG"]!);
    cpSync(join(CHECKOUT, "examples/app/prisma/migrations"), this.migrations, { recursive: true });
    const [node] = await list("default", "nodes");
    const address = node.status.addresses.find((each: { type: string }) => each.type === "InternalIP")
      .address as string;

    const cloud = await connect(this.cloudDir);
    const database = { identifier: "notes-db", kind: "instance" as const, database: "notes" };
    this.database = await cloud.call("aws.ensureInstance", database);
    this.forward = await forwardFor(address, this.database.port);

    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    const { host, port } = this.forward;
    const reachable = (url: string) => {
      const there = new URL(url);
      there.host = `${host}:${port}`;
      return there.href;
    };
    const objects = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: this.namespace, labels } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "notes-database", namespace: this.namespace },
        stringData: { url: reachable(this.database.appUrl), "direct-url": reachable(this.database.adminUrl) },
      },
    ];
    for (const object of objects) await kubectl(["apply", "--filename", "-"], JSON.stringify(object));
    for (const role of ["up", "preview", "ops", "switch"] as const) await this.grant(role);
    // Whoever moves the app needs what every command by hand needs, too.
    await this.bind("ops", "switch");

    this.set("namespace", this.namespace);
    this.set("app.image", `${env["E2E_APP_IMAGE"]}:1.0.0`);
    this.set("migrations.image", env["E2E_NODE_IMAGE"]);
    this.set("migrations.directory", this.migrations);
    this.set("service.host", address);
    this.set("report.directory", this.reports);
    this.set("review.run", "false");
  }

  private async bind(role: string, account: string): Promise<void> {
    const subject = `--serviceaccount=${this.namespace}:release-${account}`;
    const words = ["create", "rolebinding", `release-${account}-${role}`, `--role=release-${role}`, subject];
    await kubectl([...words, "--namespace", this.namespace]);
  }

  private async grant(role: "up" | "preview" | "ops" | "switch"): Promise<void> {
    const account = `release-${role}`;
    const inNamespace = ["--namespace", this.namespace];
    await kubectl(
      ["apply", ...inNamespace, "--filename", "-"],
      readFileSync(join(__dirname, `rbac/${role}.yaml`), "utf8"),
    );
    await kubectl(["create", "serviceaccount", account, ...inNamespace]);
    await this.bind(role, role);
    const file = join(this.directory, `kubeconfig-${role}`);
    writeFileSync(file, await kubeconfigOf(this.namespace, account), { mode: 0o600 });
    this.kubeconfigs.set(role, file);
  }
}
