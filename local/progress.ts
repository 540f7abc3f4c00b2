import type { EngineEvent } from "./engine/events";

/** Shows what the engine does while it does it. */
export interface Progress {
  event(event: EngineEvent): void;
  /** A line between the steps that is no step: what is being prepared, that the person asked to stop. */
  note(text: string): void;
  /** Nothing more will come: leave the terminal as a plain one. */
  end(): void;
}
