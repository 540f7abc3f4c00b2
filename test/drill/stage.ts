import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { listSnapshots } from "../../local/cloud/aws/records";
import { clientMajor, KEYS } from "../backup/pod";
import { Cli, getJson, until } from "../local/cli";

/** The kinds of stack: with a snapshot, a snapshot and automated backups, a dump, or a branch of Neon. */
export type StackKind = "snapshot" | "point-in-time" | "dump" | "branch";

/** The end of a typed command. */
export interface Typed {
  readonly status: number | null;
  /** Everything that it printed. */
  readonly text: string;
}

/** The longest that a typed command may take, in milliseconds. */
const TYPED_MS = 240_000;

/** The folder in which a person types the commands of the messages. */
const CHECKOUT = `${__dirname}/../..`;

/** The major version of the `pg_dump` on PATH; undefined if there is none, so that nothing with a dump can be played. */
export const PG_DUMP = clientMajor();

const SETTINGS: Record<StackKind, Readonly<Record<string, string>>> = {
  snapshot: {},
  "point-in-time": { "local:pointInTime": "true" },
  branch: {
    "backup.mode": "branch",
    "backup.restore": "",
    "backup.branch": "{project: local-project-1, secret: {name: notes-neon}}",
  },
  dump: {
    "backup.mode": "dump",
    "backup.image": `postgres:${PG_DUMP}-alpine`,
    "backup.restore": "",
    "backup.dump": `{to: s3://notes-backups/local, recipients: [${KEYS[0].recipient}], secret: {name: notes-store}}`,
  },
};

/** A local cloud of its own with one stack, on which failures are provoked. */
export class Stage {
  readonly cli = new Cli("all");
  /** The file with the private key of the dumps. */
  readonly identity = join(this.cli.home, "backup.key");
  /** The settings of the scenario that is played. */
  readonly #own: string[] = [];
  #number = 0;

  constructor(kind: StackKind) {
    for (const [key, value] of Object.entries(SETTINGS[kind])) this.cli.set(key, value);
    writeFileSync(this.identity, KEYS[0].identity);
  }

  /** Releases a new image, as every scenario does, and returns what was printed. */
  async up(...words: string[]): Promise<Typed> {
    const { status, stdout, stderr } = await this.cli.run("up", ...words);
    return { status, text: stdout + stderr };
  }

  /** Sets a setting for this scenario. */
  set(key: string, value: string): void {
    this.cli.set(key, value);
    this.#own.push(key);
  }

  /** Ends what a scenario has set: its settings and its faults. */
  async reset(): Promise<void> {
    for (const key of this.#own.splice(0)) this.cli.unset(key);
    await this.cli.run("fault", "none");
  }

  /** Sets an image that was not released before. */
  newImage(suffix = ""): string {
    const image = `notes:2.${++this.#number}.0${suffix}`;
    this.cli.set("app.image", image);
    return image;
  }

  /** Adds a migration whose name is later than all others. */
  newMigration(sql: string): string {
    const name = `2027${String(++this.#number).padStart(4, "0")}000000_drill`;
    this.cli.addMigration(name, sql);
    return name;
  }

  /** Starts `up`, and kills it when it begins a step on a resource with this name. */
  async killedAt(step: RegExp): Promise<void> {
    const child = this.cli.start("up");
    let printed = "";
    const ended = this.cli.finish(child);
    child.stdout?.on("data", (text: string) => (printed += text));
    await until(() => step.test(printed) || child.exitCode !== null, `the step ${step}`, 60_000);
    if (child.exitCode !== null) throw new Error(`up ended before the step ${step}:\n${printed}`);
    child.kill("SIGKILL");
    await ended;
  }

  /** Waits until a snapshot of the release that runs is there. */
  async snapshotTaken(): Promise<void> {
    const before = await this.snapshots();
    await until(async () => (await this.snapshots()) > before, "a new snapshot", 60_000);
  }

  private async snapshots(): Promise<number> {
    return (await listSnapshots(this.cli.cloudDir())).filter(({ status }) => status === "available").length;
  }

  /** Types a command of a message in the checkout, as a person would. */
  async type(command: string): Promise<Typed> {
    const child = spawn("sh", ["-c", command], {
      cwd: CHECKOUT,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TYPED_MS,
      env: { ...process.env, FORCE_COLOR: "0" },
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
    child.stderr.setEncoding("utf8").on("data", (more: string) => (text += more));
    const status = await new Promise<number | null>((ended) => child.once("close", ended));
    return { status, text };
  }

  /** Runs SQL in the stack's database as the migration's role. */
  async sql(text: string): Promise<Record<string, unknown>[]> {
    const client = await this.session();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Opens a session of the migration's role, which a scenario ends itself. */
  async session(): Promise<Client> {
    const client = new Client({ connectionString: this.cli.connection().adminUrl });
    await client.connect();
    return client;
  }

  /** Says why the release is not complete; undefined if it is, and the app answers. */
  async notGreen(): Promise<string | undefined> {
    const { url, migrations } = (await this.cli.outputs()) as { url: string; migrations: { last: string } };
    const { status, body } = await getJson(url, "/health");
    if (status !== 200) return `the app answers ${status}`;
    if (body.schemaVersion !== migrations.last)
      return `the app finds ${body.schemaVersion}, the outputs name ${migrations.last}`;
    const [unfinished] = await this.sql(
      `SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL`,
    );
    return unfinished && `${String(unfinished["migration_name"])} is unfinished`;
  }

  async end(): Promise<void> {
    await this.cli.end();
  }
}
