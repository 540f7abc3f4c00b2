import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import type { WrittenBase } from "../../migrator/verbs/written";
import type { Move } from "../target";
import type { Change } from "./changes";

/** How far the app is moved. */
type SwitchPhase = "switching" | "switched" | "going-back";

/** The pods of a Deployment, or whether a CronJob was suspended, before a switch stopped it. */
export interface StoppedWriter {
  readonly replicas?: number;
  readonly suspended?: boolean;
}

/**
 * What a switch has begun, in a ConfigMap of the release's namespace. By it the same command goes on after it was
 * killed, and the way back knows the settings before. It contains no secret.
 */
export interface SwitchRecord {
  readonly phase: SwitchPhase;
  /** The name of the copy. */
  readonly copy: string;
  readonly began: string;
  readonly move: Move;
  /** The last migration of the copy's schema. */
  readonly last: string;
  readonly image: string;
  readonly changes: readonly Change[];
  /** The names of the new Secrets, by the names of those that they stand for. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What was stopped, by `<kind>/<name>`. */
  readonly writers: Readonly<Record<string, StoppedWriter>>;
  /** The counters with which a look at the source, and later at the copy, compares. */
  readonly written: { readonly source: WrittenBase | null; readonly copy: WrittenBase };
}

const KEY = "record.json";

/** The record of the app's switch, of which there is one at a time. */
export class SwitchRecords {
  constructor(
    readonly kubectl: Kubectl,
    readonly app: string,
  ) {}

  /** The name of the ConfigMap. */
  get name(): string {
    return `${this.app}-switch`;
  }

  /** Reads the record; undefined if the app is where it always was. */
  async read(): Promise<SwitchRecord | undefined> {
    const words = ["get", `configmaps/${this.name}`, "--ignore-not-found", "--output=json"];
    const text = await this.kubectl.run(words);
    if (text.trim() === "") return undefined;
    const record = (JSON.parse(text) as { data?: Record<string, string> }).data?.[KEY];
    if (record !== undefined) return JSON.parse(record) as SwitchRecord;
    throw new CommandFailure(
      EXIT.usage,
      `ConfigMap ${this.name} is not the record of a switch.`,
      undefined,
      `see what it is: ${this.kubectl.typed(`get configmap ${this.name} -o yaml`)}`,
    );
  }

  /**
   * Writes the first record. It fails if another switch has begun meanwhile.
   * @param before the record of an earlier switch, which is replaced
   */
  async begin(record: SwitchRecord, before: SwitchRecord | undefined): Promise<void> {
    await this.kubectl.run([before ? "replace" : "create", "--filename=-"], this.#object(record));
  }

  /** Replaces the record. */
  async write(record: SwitchRecord): Promise<void> {
    await this.kubectl.run(["replace", "--filename=-"], this.#object(record));
  }

  /** Removes the record: the app is where it always was. */
  async end(): Promise<void> {
    await this.kubectl.run(["delete", "configmaps", this.name, "--ignore-not-found", "--wait=false"]);
  }

  #object(record: SwitchRecord): string {
    const { name, app } = this;
    const labels = { "app.kubernetes.io/name": app, "app.kubernetes.io/component": "switch" };
    const metadata = { name, namespace: this.kubectl.cluster.namespace, labels };
    return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { [KEY]: JSON.stringify(record) } });
  }
}
