import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { FILES } from "../pod-folder";
import { type LibpqConnection, shellVariables } from "./libpq";

/** The pause between two looks for a file of the other container, in milliseconds. */
const LOOK_MS = 100;

/** The file of the authorities in the shared folder. */
const AUTHORITIES = "authorities";

/** The folder that this program shares with the container of `pg_dump`, and what each tells the other by it. */
export class Pod {
  readonly #heart: NodeJS.Timeout;

  constructor(readonly folder: string) {
    this.#beat();
    this.#heart = setInterval(() => this.#beat(), 1_000).unref();
  }

  path(file: keyof typeof FILES): string {
    return join(this.folder, FILES[file]);
  }

  /** The path of the authorities as `pg_dump` finds it, from the folder in which it runs. */
  get authorities(): string {
    return AUTHORITIES;
  }

  /** The text of a file that the other container writes; undefined as long as there is none. */
  read(file: keyof typeof FILES): string | undefined {
    try {
      return readFileSync(this.path(file), "utf8");
    } catch {
      return undefined;
    }
  }

  /** Lets `pg_dump` begin with a connection. */
  begin({ variables, authorities }: LibpqConnection): void {
    if (authorities !== undefined) writeFileSync(join(this.folder, AUTHORITIES), authorities, { mode: 0o600 });
    this.#write("connection", shellVariables(variables));
    this.#write("go", "");
  }

  /** Removes the connection, which `pg_dump` has read by the time at which its archive begins. */
  forgetConnection(): void {
    rmSync(this.path("connection"), { force: true });
  }

  /** Lets the other container end. */
  end(): void {
    this.forgetConnection();
    clearInterval(this.#heart);
    this.#write("stop", "");
  }

  /** Waits for a file of the other container. Returns undefined if it doesn't come within the time. */
  async waitFor(file: keyof typeof FILES, milliseconds: number, signal: AbortSignal): Promise<string | undefined> {
    for (const end = Date.now() + milliseconds; ; ) {
      const text = this.read(file);
      if (text !== undefined || Date.now() > end) return text;
      await pause(LOOK_MS, undefined, { signal });
    }
  }

  /**
   * Watches the container of `pg_dump`, until the returned function is called.
   *
   * @param vanished called once if the container shows no sign of life for this time, in milliseconds
   */
  watchClient(silent: number, vanished: () => void): () => void {
    const begun = Date.now();
    const timer = setInterval(() => {
      const last = Number(this.read("clientAlive") ?? 0) * 1000;
      if (Date.now() - Math.max(last, begun) < silent) return;
      clearInterval(timer);
      vanished();
    }, 500);
    return () => clearInterval(timer);
  }

  #beat(): void {
    this.#write("alive", `${Math.floor(Date.now() / 1000)}\n`);
  }

  /** Writes a file as a whole, so that the other container never reads half of it. */
  #write(file: keyof typeof FILES, text: string): void {
    const path = this.path(file);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
