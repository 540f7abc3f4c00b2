import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { CommandFailure, EXIT } from "../by-hand/failure";
import type { Kubectl } from "../by-hand/kubectl";
import { labels } from "../components/pods";
import type { Say } from "../restore/target";

/** The time between two renewals of a record, in milliseconds. */
const RENEWED_EVERY_MS = 10_000;

/** The time after which a record that is not renewed belongs to no running command, in milliseconds. */
const DEAD_AFTER_MS = 45_000;

/** The time between two looks at the record of another command, in milliseconds. */
const LOOK_MS = 1_000;

/** That a rehearsal is at work, or has left its copy for people. */
export interface RehearsalRecord {
  /** The host and the process that works. */
  readonly host: string;
  readonly pid: number;
  /** When it last said that it works, ISO 8601. */
  readonly renewedAt: string;
  /** Until when its copy stays, ISO 8601, once the rehearsal is over; undefined: it works. */
  readonly keptUntil?: string | undefined;
}

const KEY = "record";

/**
 * The record of the app's rehearsal, in a ConfigMap. There is one at a time: it comes before the copy and goes after
 * it, so that whoever finds none has nothing to remove.
 */
export class RehearsalRecords {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly kubectl: Kubectl,
    readonly app: string,
  ) {}

  /** The name of the ConfigMap. */
  get name(): string {
    return `${this.app}-rehearsal-record`;
  }

  /** Reads the record; undefined if there is none. */
  async read(): Promise<RehearsalRecord | undefined> {
    const words = ["get", `configmaps/${this.name}`, "--ignore-not-found", "--output=json"];
    const text = await this.kubectl.run(words);
    if (text.trim() === "") return undefined;
    const record = (JSON.parse(text) as { data?: Record<string, string> }).data?.[KEY];
    return record === undefined ? undefined : (JSON.parse(record) as RehearsalRecord);
  }

  /** Looks whether a command is at work, until that is certain: one that was killed renews nothing any more. */
  async isAtWork(say: Say): Promise<boolean> {
    const first = await this.read();
    for (let found = first, told = false; found; found = await this.read()) {
      if (found.keptUntil !== undefined || isDead(found)) return false;
      if (found.renewedAt !== first?.renewedAt || found.pid !== first.pid) return true;
      if (!told) say(`A rehearsal was at work at ${found.renewedAt}. Looking whether it still is …`);
      told = true;
      await pause(LOOK_MS);
    }
    return false;
  }

  /**
   * Takes the record for this process, and renews it until {@link end} or {@link keep}.
   * @throws CommandFailure if a rehearsal is at work
   */
  async begin(say: Say): Promise<void> {
    if (await this.isAtWork(say)) throw atWork(await this.read());
    await this.#write((await this.read()) ? "replace" : "create", undefined);
    this.#timer = setInterval(() => void this.#write("replace", undefined).catch(() => undefined), RENEWED_EVERY_MS);
    this.#timer.unref();
  }

  /** Says that the rehearsal is over, and that its copy stays for a while. */
  async keep(until: Date): Promise<void> {
    clearInterval(this.#timer);
    await this.#write("replace", until.toISOString());
  }

  /** Removes the record: nothing of the rehearsal is left. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.kubectl.run(["delete", "configmaps", this.name, "--ignore-not-found", "--wait=false"]);
  }

  async #write(verb: "create" | "replace", keptUntil: string | undefined): Promise<void> {
    const { name, app } = this;
    const record: RehearsalRecord = {
      host: hostname(),
      pid: process.pid,
      renewedAt: new Date().toISOString(),
      keptUntil,
    };
    const metadata = { name, namespace: this.kubectl.cluster.namespace, labels: labels(app, "rehearsal") };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { [KEY]: JSON.stringify(record) } };
    await this.kubectl.run([verb, "--filename=-"], JSON.stringify(object));
  }
}

/** Whether the process of a record has ended. That of another host is only known by its silence. */
function isDead({ host, pid, renewedAt }: RehearsalRecord): boolean {
  if (Date.now() - Date.parse(renewedAt) > DEAD_AFTER_MS) return true;
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function atWork(record: RehearsalRecord | undefined): CommandFailure {
  return new CommandFailure(
    EXIT.busy,
    `A rehearsal is at work${record ? ` (process ${record.pid} on ${record.host})` : ""}.`,
    "this command changed nothing; production is untouched.",
    "when that rehearsal has ended, the same command again",
  );
}
