import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeDeleted } from "../../local/cloud/aws/placement";
import { listSnapshots } from "../../local/cloud/aws/records";
import { type CloudMethods, connect, stopCloud } from "../../local/cloud/client";
import { openStore } from "../../local/cloud/kubernetes/store";
import { type ProcessRecord, signalGroup } from "../../local/cloud/process";
import { stackDirectory } from "../../local/engine/state";
import { writeFaults } from "../../local/faults";
import { readText } from "../../text/atomic";
import type { Engine } from "./operation";
import { type Interruption, type Ran, runOperation } from "./run-operation";

const CHECKOUT = join(__dirname, "../..");

export interface Command {
  verb: "up" | "preview" | "destroy" | "refresh";
  /** Options of the Pulumi CLI alone; the stack is `local` of the project `release`. */
  cliFlags?: string[];
  interruption?: Interruption;
  /** What is done while the command runs, when it tells this. */
  meanwhile?: { told: string; act(stage: Stage): void };
  /** The program: by default the release itself. */
  program?: "release" | "consumer";
}

const PROGRAMS = {
  release: { directory: CHECKOUT, project: "release" },
  consumer: { directory: join(CHECKOUT, "examples/consumer"), project: "consumer" },
};

/** A copy of the example's migrations, for one story. */
export function migrationsFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "conformance-migrations-"));
  cpSync(join(CHECKOUT, "examples/app/prisma/migrations"), folder, { recursive: true });
  return folder;
}

/** Where a story is played with one engine: a state directory, a Prisma folder and settings of its own. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "conformance "));
  readonly stack = "local";
  private readonly settings = new Map<string, string>();

  /**
   * @param migrations the Prisma folder, the same for all engines
   * @param stopped aborted when the whole run is to end: the command that runs is killed
   */
  constructor(
    readonly engine: Engine,
    private readonly migrations: string,
    private readonly stopped?: AbortSignal,
  ) {
    mkdirSync(this.stateDir);
    this.set("migrations.directory", this.migrations);
    this.set("report.directory", join(this.directory, "reports"));
    this.set("review.run", "false");
  }

  get stateDir(): string {
    return join(this.directory, "state");
  }

  cloudDir(project = "release"): string {
    return join(stackDirectory(this.stateDir, project, this.stack), "cloud");
  }

  /** A setting of the stack, `app.image`; undefined takes it away. */
  set(key: string, value: string | undefined): void {
    if (value === undefined) this.settings.delete(key);
    else this.settings.set(key, value);
  }

  migration(name: string, sql: string): void {
    mkdirSync(join(this.migrations, name), { recursive: true });
    writeFileSync(join(this.migrations, name, "migration.sql"), sql);
  }

  withoutMigration(name: string): void {
    rmSync(join(this.migrations, name), { recursive: true, force: true });
  }

  faults(...names: string[]): void {
    writeFaults(this.cloudDir(), names);
  }

  /** Calls the cloud as its console would: nothing of it is told to the engine. */
  async cloud<Name extends keyof CloudMethods>(
    method: Name,
    parameters: Parameters<CloudMethods[Name]>[0],
  ): Promise<void> {
    await (await connect(this.cloudDir())).call(method, parameters);
  }

  async names(group: string, kind: string): Promise<string[]> {
    return openStore(this.cloudDir())
      .list(group, kind)
      .map(({ metadata }) => metadata.name);
  }

  async deleteNewestSnapshot(): Promise<void> {
    const [newest] = (await listSnapshots(this.cloudDir())).sort((a, b) => (a.createTime < b.createTime ? 1 : -1));
    await this.cloud("aws.deleteSnapshot", { identifier: newest!.identifier, kind: "instance" });
  }

  async run({ verb, program = "release", cliFlags, interruption, meanwhile }: Command): Promise<Ran> {
    const { directory, project } = PROGRAMS[program];
    const config = [...this.settings].filter(([key]) =>
      program === "release" ? !key.includes(":") : key.startsWith(`${project}:`),
    );
    return runOperation(
      {
        engine: this.engine,
        verb,
        directory,
        stack: this.stack,
        stateDir: this.stateDir,
        config: config.map(([key, value]) => `${key}=${value}`),
        cliFlags,
      },
      { interruption, killCli: () => this.killCli(project), stopped: this.stopped },
      (message) => {
        if (meanwhile && message.includes(meanwhile.told)) meanwhile.act(this);
      },
    );
  }

  /** Ends everything that was started, and forgets it. */
  async close(): Promise<void> {
    const projects = readdirSync(this.stateDir).filter((project) => !project.startsWith("."));
    const clouds = projects.map((project) => join(this.stateDir, project, this.stack, "cloud"));
    for (const cloudDir of clouds) await stopCloud(cloudDir);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    for (const cloudDir of clouds) await removeDeleted(cloudDir);
  }

  private killCli(project: string): void {
    const text = readText(join(stackDirectory(this.stateDir, project, this.stack), "pulumi/process.json"));
    if (text !== undefined) signalGroup(JSON.parse(text) as ProcessRecord, "SIGKILL");
  }
}
