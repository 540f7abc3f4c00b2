import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findConnection } from "../cloud/aws/instance";
import { removeDeleted } from "../cloud/aws/placement";
import { readOutputs, stackDirectory } from "../engine";

const CHECKOUT = resolve(__dirname, "../..");
const HISTORY = join(CHECKOUT, "examples/app/prisma/migrations");
const STACK = "demo";
const PROJECT = "release";

export interface Run {
  status: number;
  seconds: number;
  /** The output of the command, including standard error. */
  text: string;
}

/** The demo's stack in a folder of its own, with a copy of the app's migrations to which each act adds some. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "release demo "));
  private readonly migrations = join(this.directory, "migrations");
  private readonly stateDir = join(this.directory, "state");

  constructor() {
    mkdirSync(this.migrations);
    cpSync(join(HISTORY, "migration_lock.toml"), join(this.migrations, "migration_lock.toml"));
  }

  /** Copies migrations from the app's own history. */
  addMigrations(names: string[]): void {
    for (const name of names) cpSync(join(HISTORY, name), join(this.migrations, name), { recursive: true });
  }

  writeMigration(name: string, sql: string): void {
    mkdirSync(join(this.migrations, name));
    writeFileSync(join(this.migrations, name, "migration.sql"), sql);
  }

  up(image: string): Promise<Run> {
    const settings = [
      `app.image=${image}`,
      `migrations.directory=${this.migrations}`,
      `report.directory=${join(this.stateDir, "reports")}`,
      // Act five would otherwise wait for the default timeout of two minutes.
      "app.startupTimeout=5s",
      "app.progressDeadline=10s",
    ];
    return this.local(["up", ...settings.flatMap((setting) => ["--config", setting])]);
  }

  /** Runs `npm run local -- …` for this stack and shows its output on the terminal. */
  async local(words: string[], { silent = false } = {}): Promise<Run> {
    const shown = words.map((word) => (/[\s"]/.test(word) ? JSON.stringify(word) : word)).join(" ");
    if (!silent) console.log(`\n$ npm run local -- ${shown}`);
    const argv = [...words, "--stack", STACK, "--state-dir", this.stateDir];
    const began = Date.now();
    const child = spawn(process.execPath, ["--import", "tsx", join(CHECKOUT, "local/main.ts"), ...argv], {
      cwd: CHECKOUT,
      stdio: ["ignore", "pipe", "pipe"],
      // The output is a pipe and not a terminal, so colours are enabled if the demo itself runs in a terminal.
      env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" },
    });
    let text = "";
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      from.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (!silent) to.write(chunk);
      });
    }
    const status = await new Promise<number>((ended, failed) => {
      child.once("error", failed);
      child.once("close", (code) => ended(code ?? 1));
    });
    return { status, seconds: (Date.now() - began) / 1000, text };
  }

  async url(): Promise<string> {
    const { url } = await readOutputs(this.stateDir, PROJECT, STACK);
    if (typeof url !== "string") throw new Error("the release has no url");
    return url;
  }

  outputs() {
    return readOutputs(this.stateDir, PROJECT, STACK);
  }

  private get cloudDir(): string {
    return join(stackDirectory(this.stateDir, PROJECT, STACK), "cloud");
  }

  /** The database's URL for the migration's role, which can read everything. */
  databaseUrl(): string {
    const connection = findConnection(this.cloudDir, "instance", "notes-db");
    if (!connection) throw new Error("the demo's database is not there");
    return connection.adminUrl;
  }

  /** Stops and removes everything that the demo started and wrote. */
  async strike(): Promise<void> {
    await this.local(["down"], { silent: true });
    rmSync(this.directory, { recursive: true, force: true });
    await removeDeleted(this.cloudDir);
  }
}
