import { until } from "../../../embedded/processes";
import { addFromMoment } from "../aws/copy-instance";
import { isIdentifier, type Kind } from "../aws/errors";
import { findConnection, startInstance } from "../aws/instance";
import { instanceFolder, readCredentials, readInstance, readSnapshot } from "../aws/records";
import { connectAsSuperuser } from "../aws/roles";
import type { AwsMethods } from "../aws/service";
import type { Branch, NeonData } from "./project";

/** The kind of the servers behind computes. */
const KIND: Kind = "instance";

/**
 * Keeps the data of branches as the local cloud keeps that of RDS: a branch is a physical copy of its parent's server, a
 * compute is a server of its own. A branch of a branch without a compute shares that copy, which nothing changes.
 */
export function serversOf(cloudDir: string, aws: AwsMethods): NeonData {
  return {
    async copy(parent, server, id) {
      if (server === undefined) return { data: parent.data! };
      const lsn = await writtenTo(cloudDir, server);
      await aws.createSnapshot({ kind: KIND, source: server, identifier: id, tags: { neon: "branch" } });
      await until(async () => readSnapshot(cloudDir, KIND, id)?.status !== "creating", { timeout: 600_000 });
      const made = readSnapshot(cloudDir, KIND, id);
      if (made?.status !== "available") throw new Error(made?.reason ?? "the copy is gone");
      return { data: id, lsn };
    },
    async copyOfMoment(server, moment, branch) {
      const source = readInstance(cloudDir, KIND, server);
      if (!source) throw new Error(`${server} is gone`);
      const identifier = serverName(cloudDir, branch);
      const createTime = new Date().toISOString();
      await addFromMoment(cloudDir, source, moment, { kind: KIND, identifier, createTime });
      await startInstance(cloudDir, KIND, identifier);
      return { data: identifier };
    },
    async start(data, branch) {
      // The data of a moment is a server already.
      if (readInstance(cloudDir, KIND, data)) return data;
      const identifier = serverName(cloudDir, branch);
      await aws.restoreSnapshot({ snapshot: data, kind: KIND, identifier });
      return identifier;
    },
    host(server) {
      // Neon's computes are told apart by their hosts, these servers by their ports.
      const { host, port } = findConnection(cloudDir, KIND, server) ?? { host: "127.0.0.1", port: 0 };
      return `${host}:${port}`;
    },
    async removeServer(server) {
      if (readInstance(cloudDir, KIND, server)) await aws.deleteInstance({ kind: KIND, identifier: server });
    },
    async removeData(data) {
      if (readInstance(cloudDir, KIND, data)) await aws.deleteInstance({ kind: KIND, identifier: data });
      if (readSnapshot(cloudDir, KIND, data)) await aws.deleteSnapshot({ kind: KIND, identifier: data });
    },
  };
}

/** Returns the name of a branch's server: the branch's own if a server may have it, so that `query --instance` finds it. */
function serverName(cloudDir: string, { id, name }: Branch): string {
  const lower = name.toLowerCase();
  return isIdentifier(lower, 63) && !readInstance(cloudDir, KIND, lower) ? lower : id;
}

/** Returns the place up to which a server has written its log. */
async function writtenTo(cloudDir: string, server: string): Promise<string | undefined> {
  const { port } = readInstance(cloudDir, KIND, server) ?? {};
  if (port === undefined) return undefined;
  const client = await connectAsSuperuser(readCredentials(instanceFolder(cloudDir, KIND, server)), port);
  try {
    const { rows } = await client.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn");
    return rows[0]?.lsn;
  } finally {
    await client.end();
  }
}
