import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { freePort, isFree } from "../../../embedded/ports";
import { readJson, writeAtomically } from "../../../text/atomic";
import { hasFault } from "../aws/faults";
import type { Method, Service } from "../service";
import type { AccessKey } from "../signature";
import { Objects } from "./objects";
import { createS3Server } from "./server";

/** The methods of the store for dumps that a command may call. */
export interface S3Methods {
  /** Makes the bucket and starts the store, if they are missing. */
  ensureBucket: Method<{ bucket: string }, AccessKey>;
}

/** A store that speaks the protocol of S3. It begins with the first bucket, and runs as long as this process. */
export function createS3Service(cloudDir: string): Service<S3Methods> {
  const directory = s3Directory(cloudDir);
  let running: Promise<{ server: Server; credentials: AccessKey }> | undefined;
  const start = async () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const credentials = ownCredentials(directory);
    const server = createS3Server({ directory, credentials, hasFault: (fault) => hasFault(cloudDir, fault) });
    const last = readJson<{ port: number }>(endpointFile(cloudDir))?.port;
    const port = last !== undefined && (await isFree(last)) ? last : await freePort();
    await new Promise<void>((listening, failed) => {
      server.once("error", failed);
      server.listen(port, "127.0.0.1", listening);
    });
    writeAtomically(endpointFile(cloudDir), JSON.stringify({ port }));
    return { server, credentials };
  };
  // The pods of an earlier process may still use it.
  if (readJson(endpointFile(cloudDir)) !== undefined) running = start();
  running?.catch((error) => console.error("the store for dumps:", error));
  return {
    methods: {
      async ensureBucket({ bucket }) {
        running ??= start();
        const { credentials } = await running;
        new Objects(directory).makeBucket(bucket);
        return credentials;
      },
    },
    async stop() {
      const { server } = (await running?.catch(() => undefined)) ?? {};
      server?.closeAllConnections();
      await new Promise<void>((closed) => (server ? server.close(() => closed()) : closed()));
    },
  };
}

/** The folder of the buckets. */
function s3Directory(cloudDir: string): string {
  return join(cloudDir, "s3");
}

function endpointFile(cloudDir: string): string {
  return join(s3Directory(cloudDir), "endpoint.json");
}

/**
 * The variables by which the AWS SDK in a pod finds this store, where its settings name no other. On AWS it finds
 * Amazon's own without any.
 */
export function storeVariables(cloudDir: string): Record<string, string> {
  const found = readJson<{ port: number }>(endpointFile(cloudDir));
  return found ? { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${found.port}` } : {};
}

function ownCredentials(directory: string): AccessKey {
  const file = join(directory, "credentials.json");
  const known = readJson<AccessKey>(file);
  if (known) return known;
  const made = {
    accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(24).toString("hex"),
  };
  writeAtomically(file, JSON.stringify(made));
  return made;
}
