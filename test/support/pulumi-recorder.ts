import * as pulumi from "@pulumi/pulumi";

/** One resource as a program registered it. */
export interface Registration {
  type: string;
  name: string;
  inputs: Record<string, any>;
  options: {
    dependsOn: string[];
    retainOnDelete: boolean;
    deleteBeforeReplace: boolean;
    replaceOnChanges: string[];
    ignoreChanges: string[];
    protect: boolean;
    importId: string;
    /** The reference of the explicit provider, URN::ID; empty for a default provider. */
    provider: string;
    /** Names of hooks. */
    onError: string[];
    customTimeouts: Record<string, string>;
    /** Property → URNs of the resources whose outputs it was made of. */
    propertyDependencies: Record<string, string[]>;
  };
}

/** What RDS answers, by snapshot identifier. */
export type Snapshots = Record<string, { status: string; encrypted?: boolean; createdAt?: string; kmsKeyId?: string }>;

/**
 * Runs resource declarations against Pulumi's mocks (no engine, no cloud) and returns what was registered, in order.
 * Options that mocks do not see are read from the request to the monitor, which is where the engine gets them.
 */
export class PulumiRecorder {
  readonly registrations: Registration[] = [];
  snapshots: Snapshots = {};
  /** What RDS answers in the region of `backup.copy`. */
  copies: Snapshots = {};
  /** Of the stack's last deployment. */
  outputs: Record<string, unknown> = {};
  /** The outputs of other stacks, by their full names; an error is what the backend says of it. */
  stacks: Record<string, Record<string, unknown> | Error> = {};
  /** Functions that were called, in order. */
  readonly calls: { token: string; inputs: Record<string, any>; provider?: string }[] = [];
  /** Identifiers of databases that RDS doesn't have. */
  readonly missing = new Set<string>();
  /** The key of every database. */
  databaseKey = "";
  /** What every command prints. */
  stdout = "{}";
  private refusal: string | undefined;

  /** From now on every question to AWS is answered by this error. */
  refuse(message: string): void {
    this.refusal = message;
  }

  private readonly held = new Map<string, { started: () => void; finished: Promise<void> }>();

  /** Resources of this type, or functions that run a command with this word, take until `finish` is called. */
  hold(type: string): { started: Promise<void>; finish(): void } {
    let begin = () => {};
    let finish = () => {};
    const started = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.held.set(type, { started: begin, finished });
    return { started, finish };
  }

  async start(preview = false): Promise<void> {
    await pulumi.runtime.setMocks(
      {
        newResource: async ({ type, name, inputs, id }) => {
          const hold = this.held.get(type);
          hold?.started();
          await hold?.finished;
          return { id: id || `${name}-id`, state: this.state(type, inputs) };
        },
        call: async ({ token, inputs, provider }) => {
          const answer = this.invoke(token, inputs, provider);
          const hold = [...this.held].find(([word]) => String(inputs["command"] ?? "").includes(word))?.[1];
          hold?.started();
          await hold?.finished;
          return answer;
        },
      },
      "release",
      "test",
      preview,
      "organization",
    );
    const monitor = pulumi.runtime.getMonitor() as any;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request: any, ...rest: any[]) => {
      this.registrations.push(read(request));
      return register(request, ...rest);
    };
  }

  /** Makes the engine register error hooks, which Pulumi's own mocks do not do; returns their names, in order. */
  acceptErrorHooks(): string[] {
    const names: string[] = [];
    const monitor = pulumi.runtime.getMonitor() as any;
    monitor.registerErrorHook = (request: any, reply: (problem: null) => void) => {
      names.push(request.getName());
      reply(null);
    };
    return names;
  }

  /** The only registration of this type. */
  only(type: string): Registration {
    const found = this.all(type);
    if (found.length !== 1) throw new Error(`${found.length} registrations of ${type}, not one`);
    return found[0]!;
  }

  all(type: string): Registration[] {
    return this.registrations.filter((each) => each.type === type);
  }

  private state(type: string, inputs: Record<string, any>): Record<string, any> {
    if (type.endsWith(":Service")) {
      const ports = inputs["spec"].ports.map((port: object, index: number) => ({ ...port, nodePort: 30_000 + index }));
      return { ...inputs, spec: { ...inputs["spec"], ports }, status: {} };
    }
    if (type.endsWith(":Job"))
      return { ...inputs, metadata: { ...inputs["metadata"], creationTimestamp: "2026-11-21T10:02:00Z" } };
    if (type === "command:local:Command") return { ...inputs, stdout: this.stdout };
    return inputs;
  }

  private invoke(token: string, inputs: Record<string, any>, provider = ""): Record<string, any> {
    this.calls.push({ token, inputs, ...(provider && { provider }) });
    if (token === "pulumi:pulumi:readStackOutputs") {
      const found = this.stacks[inputs["name"]] ?? this.outputs;
      if (found instanceof Error) throw Object.assign(new Error(token), { details: found.message });
      return { outputs: found };
    }
    if (token === "command:local:run") return { stdout: this.stdout };
    const server = inputs["dbInstanceIdentifier"] ?? inputs["clusterIdentifier"];
    if (server !== undefined && this.refusal === undefined) return this.database(server);
    const identifier = inputs["dbSnapshotIdentifier"] ?? inputs["dbClusterSnapshotIdentifier"];
    const copies = provider.includes("::backup-copy");
    const types = copies
      ? ["aws:rds/snapshotCopy:SnapshotCopy", "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy"]
      : ["aws:rds/snapshot:Snapshot", "aws:rds/clusterSnapshot:ClusterSnapshot"];
    const taken = types.some((type) => this.all(type).length > 0);
    const found = (copies ? this.copies : this.snapshots)[identifier] ?? (taken ? { status: "available" } : undefined);
    // `details` is where a gRPC error has its message.
    const problem = this.refusal ?? (found ? undefined : "no matching RDS DB Snapshot found");
    if (problem || !found) throw Object.assign(new Error(token), { details: `${token}: ${problem}` });
    const { status, encrypted = true, createdAt = "2026-11-21T10:00:00Z", kmsKeyId = "" } = found;
    const arn = `arn:aws:rds:::snapshot:${identifier}`;
    const encryption = { encrypted, storageEncrypted: encrypted, kmsKeyId };
    return { status, ...encryption, snapshotCreateTime: createdAt, dbSnapshotArn: arn, dbClusterSnapshotArn: arn };
  }

  /** Where RDS has a database, as `getInstance` and `getCluster` tell. */
  private database(identifier: string): Record<string, any> {
    const host = `${identifier}.example.eu-central-1.rds.amazonaws.com`;
    if (this.missing.has(identifier)) {
      const details = `reading RDS DB Instance (${identifier}): couldn't find resource`;
      throw Object.assign(new Error(identifier), { details });
    }
    return { address: host, endpoint: host, readerEndpoint: `ro-${host}`, port: 5432, kmsKeyId: this.databaseKey };
  }
}

function read(request: any): Registration {
  const dependencies: [string, any][] = request.getPropertydependenciesMap().toArray();
  const timeouts = request.getCustomtimeouts()?.toObject() ?? {};
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: request.getObject()?.toJavaScript() ?? {},
    options: {
      dependsOn: request.getDependenciesList(),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      replaceOnChanges: request.getReplaceonchangesList(),
      ignoreChanges: request.getIgnorechangesList(),
      protect: request.getProtect(),
      importId: request.getImportid(),
      provider: request.getProvider(),
      onError: request.getHooks()?.getOnErrorList() ?? [],
      customTimeouts: timeouts,
      propertyDependencies: Object.fromEntries(
        dependencies.map(([property, list]) => [property, Array.isArray(list) ? (list[0] ?? []) : list.getUrnsList()]),
      ),
    },
  };
}
