import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeAtomically } from "../../../text/atomic";
import { type Fault, hasFault } from "../aws/faults";
import type { AwsMethods } from "../aws/service";
import type { Method, Service } from "../service";
import { answerNeon } from "./api";
import { serversOf } from "./data";
import { NeonProject, NeonRefusal } from "./project";

/** The path of the stand-in at the port of the background process. */
const PATH = "/neon";

/** The methods of the stand-in of Neon that a command may call. */
export interface NeonMethods {
  /** Makes the project of a database, if it is missing. Its first branch is that database. */
  ensureProject: Method<{ project: string; identifier: string }, { key: string }>;
}

/** The stand-in of Neon's API. Its projects are of servers of the local cloud. */
export function createNeonService(cloudDir: string, aws: AwsMethods): Service<NeonMethods> {
  const data = serversOf(cloudDir, aws);
  const projectOf = (id: string) => {
    if (!/^[a-z0-9-]{1,60}$/.test(id)) throw new NeonRefusal(404, "PROJECT_NOT_FOUND", "project not found");
    return new NeonProject(join(folder(cloudDir), `${id}.json`), data, (fault) => hasFault(cloudDir, fault));
  };
  return {
    methods: {
      async ensureProject({ project, identifier }) {
        mkdirSync(folder(cloudDir), { recursive: true, mode: 0o700 });
        projectOf(project).ensure(project, identifier);
        return { key: ownKey(cloudDir) };
      },
    },
    api: {
      path: PATH,
      async answer(request, response) {
        const surroundings = {
          key: ownKey(cloudDir),
          project: projectOf,
          hasFault: (fault: Fault) => hasFault(cloudDir, fault),
        };
        await answerNeon(surroundings, request, response);
      },
    },
    async stop() {
      // What it has begun goes on in the services of the servers, which wait for it.
    },
  };
}

function folder(cloudDir: string): string {
  return join(cloudDir, "neon");
}

function keyFile(cloudDir: string): string {
  return join(folder(cloudDir), "key.json");
}

function ownKey(cloudDir: string): string {
  const known = readJson<{ key: string }>(keyFile(cloudDir))?.key;
  if (known !== undefined) return known;
  mkdirSync(folder(cloudDir), { recursive: true, mode: 0o700 });
  const key = `napi_${randomBytes(24).toString("hex")}`;
  writeAtomically(keyFile(cloudDir), JSON.stringify({ key }));
  return key;
}

/** The variable by which programs find the stand-in in place of Neon; none if it has no project. */
export function neonVariables(cloudDir: string): Record<string, string> {
  const daemon = readJson<{ port: number }>(join(cloudDir, "daemon.json"));
  if (!daemon || !existsSync(keyFile(cloudDir))) return {};
  return { RELEASE_LOCAL_NEON: `http://127.0.0.1:${daemon.port}${PATH}/api/v2` };
}

/**
 * The variables by which a command by hand works with the stand-in, as a person would with a key of their own.
 *
 * @param first whether its first project is about to be made, so that the key is made before. Default: false.
 */
export function neonAccess(cloudDir: string, first = false): Record<string, string> {
  if (first) ownKey(cloudDir);
  const variables = neonVariables(cloudDir);
  return Object.keys(variables).length === 0 ? {} : { ...variables, NEON_API_KEY: ownKey(cloudDir) };
}
