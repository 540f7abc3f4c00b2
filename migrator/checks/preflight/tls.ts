import { isRdsHost } from "../../db/amazon-authorities";
import type { Target } from "../../db/url";
import type { PreflightCheck } from "./context";

/** Checks whether the connection is encrypted, and whether the identity of the server is verified. */
export const tls: PreflightCheck = {
  name: "tls",
  kind: "connection",
  async run({ run: { session } }) {
    const { target } = session;
    const { tlsMode, tls: options, host } = target;
    if (host.startsWith("/")) return { findings: [], facts: "a local socket" };
    if (session.encrypted && options.rejectUnauthorized === true)
      return { findings: [], facts: `encrypted and verified (sslmode=${tlsMode})` };
    const evidence = [`sslmode=${tlsMode}`];
    if (session.encrypted)
      return {
        findings: [
          {
            what: "The connection is encrypted, but to whom is not verified.",
            evidence,
            next: `say sslmode=verify-full in the connection string or in database.parameters; ${whoIsTrusted(target)}`,
          },
        ],
        facts: "encrypted, not verified",
      };
    const first = tlsMode === "disable" ? "" : "switch TLS on in the server (ssl = on), then ";
    return {
      findings: [
        {
          what: "The connection is not encrypted.",
          evidence,
          next: `${first}say sslmode=verify-full in the connection string or in database.parameters; ${whoIsTrusted(target)}`,
        },
      ],
      facts: "not encrypted",
    };
  },
};

/** Says what has to be done, or not, so that this program trusts the authority of the server's certificate. */
function whoIsTrusted({ host, authorities }: Target): string {
  if (authorities) return `${authorities.path} (${authorities.named}) is trusted`;
  if (isRdsHost(host)) return "Amazon's authorities are known already, no file is needed";
  return "if its authority is none of Node's, name that in the setting database.ca (by hand: sslrootcert=FILE)";
}
