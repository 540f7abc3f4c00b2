import { z } from "zod";
import type { PrunedPlace } from "./pruner";

const backup = z.object({ id: z.string(), begunAt: z.coerce.date() });

/** The lines of the program that removes backups, of which each is one JSON object. */
const lineSchema = z.discriminatedUnion("event", [
  backup.extend({ event: z.literal("backup.stays"), because: z.string() }),
  backup.extend({ event: z.literal("backup.gone") }),
  backup.extend({ event: z.literal("backup.not-removed"), reason: z.string() }),
  z.object({ event: z.literal("failed"), what: z.string(), next: z.string() }),
  z.object({ event: z.literal("backups.pruned") }),
]);

/** Reads the log of the Job that removes backups, line by line. */
export class PrunedLog {
  readonly #stay: PrunedPlace["stay"][number][] = [];
  readonly #gone: PrunedPlace["gone"][number][] = [];
  readonly #notRemoved: PrunedPlace["notRemoved"][number][] = [];
  /** Why the program ended early; undefined if it didn't. */
  failure: { what: string; next: string } | undefined;

  /** @param other is called with each line that is none of the program */
  constructor(readonly other: (line: string) => void) {}

  /** What was done so far. */
  get found(): Pick<PrunedPlace, "stay" | "gone" | "notRemoved"> {
    return { stay: this.#stay, gone: this.#gone, notRemoved: this.#notRemoved };
  }

  read(line: string): void {
    const event = parsed(line);
    if (!event) this.other(line);
    else if (event.event === "backup.stays")
      this.#stay.push({ backup: { ...event, state: "complete" }, because: event.because });
    else if (event.event === "backup.gone") this.#gone.push({ ...event, state: "complete" });
    else if (event.event === "backup.not-removed") this.#notRemoved.push({ id: event.id, reason: event.reason });
    else if (event.event === "failed") this.failure = event;
  }
}

function parsed(line: string): z.infer<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
