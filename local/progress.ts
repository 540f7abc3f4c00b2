import type { EngineEvent } from "./engine/events";

/** Shows the engine's progress while it runs. */
export interface Progress {
  event(event: EngineEvent): void;
  /** Shows a line that belongs to no step, for example that the database is being prepared. */
  note(text: string): void;
  /** Ends the display and restores the terminal; no event follows. */
  end(): void;
}
