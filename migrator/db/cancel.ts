import { connect } from "node:net";
import type { Target } from "./url";

/** The code of a CancelRequest (PostgreSQL documentation, "Message Formats"). */
const CANCEL_REQUEST = 80877102;

/**
 * Sends a CancelRequest for a session. It needs neither a login nor a free connection slot, and the server accepts it
 * unencrypted too. The server sends no answer, so it is not known whether the statement is cancelled.
 */
export function sendCancel(target: Target, processId: number, secretKey: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = target.host.startsWith("/")
      ? connect(`${target.host}/.s.PGSQL.${target.port}`)
      : connect(target.port, target.host);
    socket.setTimeout(2000, () => socket.destroy());
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.on("connect", () => {
      const message = Buffer.alloc(16);
      message.writeInt32BE(16, 0);
      message.writeInt32BE(CANCEL_REQUEST, 4);
      message.writeInt32BE(processId, 8);
      message.writeInt32BE(secretKey | 0, 12);
      socket.write(message);
    });
    socket.resume();
  });
}
