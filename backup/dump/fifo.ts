import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Opens a FIFO for reading. It is opened at once, also while nobody writes to it, and waits for the first writer. The
 * reading ends when the last writer has closed it.
 */
export function readFifo(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** The head of a stream for a reader that takes as much as it needs. */
export interface Head {
  /** Passes a piece on, unless the reader has had enough. It resolves when there is room for another piece. */
  write(piece: Uint8Array): Promise<void>;
  end(): void;
}

/** The head of a stream that nobody reads. */
export const NO_HEAD: Head = { write: async () => undefined, end: () => undefined };

/**
 * Opens a FIFO whose reader stops when it knows enough, as `pg_restore --list` does.
 *
 * @param milliseconds the time within which the reader must be there; after that nothing is passed on
 */
export async function writeHead(path: string, milliseconds: number, signal: AbortSignal): Promise<Head> {
  const fd = await openWhenRead(path, milliseconds, signal);
  if (fd === undefined) return NO_HEAD;
  const socket = new Socket({ fd, readable: false, writable: true });
  let open = true;
  const closed = new Promise<void>((resolve) => {
    // EPIPE means that the reader has had enough.
    socket.once("error", () => resolve());
    socket.once("close", () => resolve());
  }).then(() => {
    open = false;
  });
  signal.addEventListener("abort", () => socket.destroy(), { once: true });
  return {
    async write(piece) {
      if (!open || socket.write(piece)) return;
      await Promise.race([closed, new Promise<void>((drained) => socket.once("drain", () => drained()))]);
    },
    end: () => socket.end(),
  };
}

/** Opens a FIFO as soon as it has a reader; before that, the system says ENXIO. */
async function openWhenRead(path: string, milliseconds: number, signal: AbortSignal): Promise<number | undefined> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await pause(20, undefined, { signal })) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
    }
  }
  return undefined;
}
