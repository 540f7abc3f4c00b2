import { type Client, connect } from "../client";
import type { Properties, Provider, ReadRequest, ReadResult } from "../provider";
import { accountId, instanceAttributes } from "./attributes";
import type { Kind } from "./errors";
import { functions } from "./functions";
import { checkInputs, diffInputs } from "./inputs";
import { findInstance } from "./records";
import { snapshotCopyResource } from "./snapshot-copy-resource";
import { snapshotResource } from "./snapshot-resource";

/**
 * The provider `aws` of the local cloud in CLOUDDIR. check, diff, read and invoke only read files. create, update and
 * delete use the background process and start it if necessary.
 * @param region the region of the provider; default: it finds what is in any region
 */
export function createAwsProvider(
  cloudDir: string,
  connectTo: (cloudDir: string) => Promise<Client> = connect,
  region?: string,
): Provider {
  const snapshots = {
    "aws:rds/snapshot:Snapshot": snapshotResource(cloudDir, "instance", connectTo),
    "aws:rds/clusterSnapshot:ClusterSnapshot": snapshotResource(cloudDir, "cluster", connectTo),
    "aws:rds/snapshotCopy:SnapshotCopy": snapshotCopyResource(cloudDir, "instance", connectTo, region),
    "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy": snapshotCopyResource(cloudDir, "cluster", connectTo, region),
  };
  const servers: Record<string, Kind> = {
    "aws:rds/instance:Instance": "instance",
    "aws:rds/cluster:Cluster": "cluster",
  };

  function snapshotOf(urn: string) {
    const type = typeOf(urn);
    const found = snapshots[type as keyof typeof snapshots];
    if (found) return found;
    const reason =
      type in servers
        ? `a program can read ${type} here (\`get\`), not make it: \`npm run local -- up\` makes the database`
        : `it has ${[...Object.keys(snapshots), ...Object.keys(servers)].join(", ")}`;
    throw new Error(`The local cloud can't do this with ${type}: ${reason}. Nothing was changed.`);
  }

  async function readServer(kind: Kind, { id, olds }: ReadRequest): Promise<ReadResult | undefined> {
    const instance = await findInstance(cloudDir, kind, id.toLowerCase());
    if (!instance) return undefined;
    const outputs = instanceAttributes(instance, typeof olds["region"] === "string" ? olds["region"] : undefined);
    return { id, inputs: {}, outputs };
  }

  return {
    configure(settings) {
      requireAccount(settings);
      const { region: own } = settings;
      return createAwsProvider(cloudDir, connectTo, typeof own === "string" && own !== "" ? own : undefined);
    },
    check: async (request) => checkInputs(snapshotOf(request.urn).inputs, request),
    diff: async (request) => diffInputs(snapshotOf(request.urn).inputs, request),
    create: async (request) => snapshotOf(request.urn).create(request),
    update: async (request) => snapshotOf(request.urn).update(request),
    delete: async (request) => snapshotOf(request.urn).delete(request),
    async read(request) {
      const kind = servers[typeOf(request.urn)];
      return kind ? readServer(kind, request) : snapshotOf(request.urn).read(request);
    },
    async invoke({ token, args }) {
      const called = functions[token];
      if (!called) {
        throw new Error(`The local cloud has no function ${token}; it has ${Object.keys(functions).join(", ")}.`);
      }
      return called(cloudDir, args, region);
    },
  };
}

/**
 * Refuses settings that don't allow this cloud's account.
 * @throws Error in the words of the real provider (aws-sdk-go-base, `VerifyAccountIDAllowed`)
 */
function requireAccount(settings: Properties): void {
  const ids = (key: string) =>
    typeof settings[key] === "string" ? (JSON.parse(settings[key]) as string[]) : undefined;
  const refused =
    ids("forbiddenAccountIds")?.includes(accountId) === true || ids("allowedAccountIds")?.includes(accountId) === false;
  if (refused) throw new Error(`AWS account ID not allowed: ${accountId}`);
}

/** The type in a URN of the format `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]!.split("$").at(-1)!;
}
