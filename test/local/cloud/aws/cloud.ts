import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "pg";
import type { Connection, EnsureInstance } from "../../../../local/cloud/aws/instance";
import { removeDeleted } from "../../../../local/cloud/aws/placement";
import { createAwsProvider } from "../../../../local/cloud/aws/provider";
import { readSnapshot, type Snapshot } from "../../../../local/cloud/aws/records";
import { type AwsMethods, createAwsService } from "../../../../local/cloud/aws/service";
import type { Provider } from "../../../../local/cloud/provider";
import type { Method } from "../../../../local/cloud/service";
import { writeAtomically } from "../../../../text/atomic";

/** A cloud of its own for a test file, whose service runs in this process. */
export interface TestCloud {
  directory: string;
  aws: AwsMethods;
  provider: Provider;
  /** Methods that the provider called. */
  asked: string[];
  notes: EnsureInstance;
  setFaults(...names: string[]): Promise<void>;
  /** The IAM actions that the provider's role has from now on; none named: all. */
  grant(...actions: string[]): Promise<void>;
  /** Asks for a snapshot of an instance, and waits until it is no longer `creating`. */
  snapshot(source: string, identifier: string): Promise<Snapshot>;
  /** Ends the service, as `down` does. */
  stop(): Promise<void>;
  /** Ends the service and removes everything. */
  remove(): Promise<void>;
}

export async function startCloud(): Promise<TestCloud> {
  // A space in the path: state directories may have one.
  const directory = await fs.mkdtemp(path.join(await fs.realpath(os.tmpdir()), "aws cloud "));
  return openCloud(directory);
}

export function openCloud(directory: string): TestCloud {
  const service = createAwsService(directory);
  const aws = service.methods;
  const asked: string[] = [];
  const methods: Record<string, Method<never, unknown>> = { ...service.methods };
  const call = async (method: string, parameters: unknown) => {
    asked.push(method);
    // What crosses the wire is JSON.
    const result = await methods[method.replace("aws.", "")]!(JSON.parse(JSON.stringify(parameters)) as never);
    return result === undefined ? null : JSON.parse(JSON.stringify(result));
  };
  return {
    directory,
    aws,
    asked,
    provider: createAwsProvider(directory, async () => ({ call })),
    notes: { identifier: "notes-db", kind: "instance", database: "notes" },
    async setFaults(...names) {
      writeAtomically(path.join(directory, "faults.json"), JSON.stringify(names));
    },
    async grant(...actions) {
      const file = path.join(directory, "granted.json");
      if (actions.length > 0) writeAtomically(file, JSON.stringify(actions));
      else await fs.rm(file, { force: true });
    },
    async snapshot(source, identifier) {
      await aws.createSnapshot({ kind: "instance", source, identifier });
      return waitFor(async () => {
        const found = readSnapshot(directory, "instance", identifier);
        return found && found.status !== "creating" ? found : undefined;
      });
    },
    stop: () => service.stop(),
    async remove() {
      await service.stop();
      await fs.rm(directory, { recursive: true, force: true });
      await removeDeleted(directory);
    },
  };
}

export async function waitFor<T>(condition: () => Promise<T | undefined | false>, seconds = 30): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${seconds}s`);
}

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** 200 rows in two tables, with every awkward value a dump could get wrong. */
export async function fill({ adminUrl }: Connection): Promise<void> {
  await query(
    adminUrl,
    `CREATE TABLE note (id serial PRIMARY KEY, body text, at timestamptz DEFAULT now(), raw bytea, score float8);
     CREATE INDEX note_body ON note (body);
     CREATE TABLE tag (note int REFERENCES note, name text);
     INSERT INTO note (body, raw, score) SELECT 'note ' || n || E'\\n"ü', decode(md5(n::text), 'hex'), n / 3.0 FROM generate_series(1, 100) n;
     INSERT INTO tag SELECT n, 'tag' || n FROM generate_series(1, 100) n`,
  );
}
