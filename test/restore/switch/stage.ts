import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { openStore } from "../../../local/cloud/kubernetes/store";
import { Cli, getJson, ownHistory, type Ran } from "../../local/cli";
import { dumpDatabase } from "../../support/dump";
import { query } from "../world";

const CHECKOUT = resolve(__dirname, "../../..");

/** The last migration of the good release, and the one that takes something away. */
export const [GOOD = "", BAD = ""] = ownHistory().slice(-2);

/** A good and a bad release of the example on the local cloud, and the bad one's backup restored beside its database. */
export class SwitchStage {
  readonly cli = new Cli(ownHistory().length - 1);
  copy = "";

  /** Releases both, writes what will be lost, and restores the snapshot that the bad one took. */
  async build(): Promise<void> {
    await this.must("up");
    await query(this.source.adminUrl, "INSERT INTO notes (title, subject, body) VALUES ('kept', 'kept', '')");
    this.cli.addMigration(BAD);
    await this.must("up", "--config", "app.image=notes:1.1.0");
    await query(this.source.adminUrl, "INSERT INTO notes (subject, body) VALUES ('lost', '')");
    const restored = await this.must("restore", "--no-verify", "--json", "--config", "app.image=notes:1.1.0");
    this.copy = restored.events.find(({ event }) => event === "restored").copy;
  }

  get source() {
    return this.cli.connection();
  }

  /** Runs a command that must end well. */
  async must(...words: string[]): Promise<Ran> {
    const ran = await this.cli.run(...words);
    if (ran.status !== 0) throw new Error(`${words.join(" ")} ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
    return ran;
  }

  /** Runs a verb of restore. The settings of the last `up` count. */
  restore(...words: string[]): Promise<Ran> {
    return this.cli.finish(this.startRestore(...words));
  }

  /** Starts a verb of restore in a process group of its own, so that it can be killed with all that it has started. */
  startRestore(...words: string[]): ChildProcess {
    const argv = ["--import", "tsx", "local/main.ts", "restore", ...words, "--state-dir", this.cli.stateDir];
    return spawn(process.execPath, argv, {
      cwd: CHECKOUT,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, FORCE_COLOR: "0" },
    });
  }

  /** What the app says of itself: version, and the last migration of its database. */
  async health(): Promise<{ version: string; schemaVersion: string }> {
    const { url } = await this.cli.outputs();
    return (await getJson(String(url), "/health")).body;
  }

  /** The pods that the Deployment wants. */
  replicas(): number {
    const name = { group: "apps", kind: "Deployment", namespace: "default", name: "notes" };
    return openStore(this.cli.cloudDir()).get(name)?.["spec"].replicas;
  }

  /** Whether a ConfigMap or a Secret exists. */
  has(kind: "ConfigMap" | "Secret", name: string): boolean {
    return openStore(this.cli.cloudDir()).get({ group: "", kind, namespace: "default", name }) !== undefined;
  }

  /** The Jobs of commands by hand that are still there. */
  leftJobs(): string[] {
    const jobs = openStore(this.cli.cloudDir()).list("batch", "Job");
    return jobs.map(({ metadata }) => metadata.name).filter((name) => name.includes("-ops-"));
  }

  /** Every row of the source that isn't this project's own record. */
  async rows(): Promise<string> {
    const all = await dumpDatabase(this.source.adminUrl);
    return all.slice(all.indexOf("rows of public"));
  }

  /** The passwords of the roles, which must be printed nowhere. */
  passwords(): string[] {
    const { appUrl, adminUrl } = this.source;
    return [appUrl, adminUrl].map((url) => decodeURIComponent(new URL(url).password)).filter((each) => each !== "");
  }
}
