import { X509Certificate } from "node:crypto";
import { connect as connectSocket, isIP } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import type { Target } from "./url";

/** The code of an SSLRequest (PostgreSQL documentation, "Message Formats"). */
const SSL_REQUEST = 80877103;

/** The longest time, in milliseconds, in which a server has to show its certificate. */
const LONGEST = 5_000;

/**
 * Returns the certificates that a server shows, its own first; none if it shows none. It is asked only after its
 * certificate was refused, so that the message can name it. Nothing is sent to the server: no user and no password.
 */
export function serverCertificates({ host, port }: Pick<Target, "host" | "port">): Promise<X509Certificate[]> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, host);
    const done = (found: X509Certificate[]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(() => done([]), LONGEST);
    socket.on("error", () => done([]));
    socket.on("close", () => done([]));
    socket.once("connect", () => {
      const request = Buffer.alloc(8);
      request.writeInt32BE(8, 0);
      request.writeInt32BE(SSL_REQUEST, 4);
      socket.write(request);
    });
    socket.once("data", (answer) => {
      if (answer[0] !== 0x53) return done([]);
      const name = isIP(host) === 0 ? { servername: host } : {};
      const secure = connectTls({ socket, rejectUnauthorized: false, ...name });
      secure.on("error", () => done([]));
      secure.once("secureConnect", () => done(chainOf(secure.getPeerCertificate(true))));
    });
  });
}

function chainOf(first: Partial<PeerCertificate> & { issuerCertificate?: PeerCertificate }): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  for (let each: typeof first | undefined = first; each?.raw && !seen.has(each.fingerprint256 ?? ""); ) {
    seen.add(each.fingerprint256 ?? "");
    chain.push(new X509Certificate(each.raw));
    each = each.issuerCertificate;
  }
  return chain;
}
