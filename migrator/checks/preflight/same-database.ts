import { compareEndpoints } from "../same-database";
import type { PreflightCheck } from "./context";

/** Checks whether the connection leads to the database that the snapshot is taken of. */
export const sameDatabase: PreflightCheck = {
  name: "same-database",
  kind: "connection",
  async run({ run: { session, settings } }) {
    const endpoints = settings.snapshotEndpoints;
    const [endpoint] = endpoints;
    if (!endpoint) return { findings: [], facts: "no snapshot is taken", skipped: true };
    const { same, by, evidence } = await compareEndpoints(session, endpoints);
    if (same) return { findings: [], facts: `${endpoint.host}:${endpoint.port}, by ${by}` };
    return {
      findings: [
        {
          what: "The connection string leads to another database than the one that the snapshot is taken of.",
          evidence,
          next: "set database.identifier (and aws:region, aws:profile) to the database behind the connection string, or correct the Secret; for a tunnel: database.endpointCheck: off",
        },
      ],
      facts: "another database",
    };
  },
};
