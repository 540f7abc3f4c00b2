import type { types } from "@pulumi/kubernetes";
import { DEFAULT_VARIABLE } from "../settings/database-access";
import { WRITABLE_FOLDER } from "../settings/pod/migration-pod";
import { URL_VARIABLES } from "../settings/rules";
import type { Settings } from "../settings/schema";
import { variables } from "./pods";

/** The default of `migrations.command`. */
const DEFAULT_COMMAND = ["npx", "prisma", "migrate", "deploy"];

/** The oldest major version of Node.js that the migrator runs on. */
const NODE = 20;

const NOTHING_DONE = "Database: nothing was changed.\nApp: not touched; the version that is serving goes on serving.";
const NEXT = `Next: build the app image with Node.js ${NODE} or later, or set migrations.runner to migrator; then: run the same command again`;

/**
 * A shell script that starts the migrator in the app's image, where it runs the app's command. It first checks that
 * the image has a usable Node.js, because the error of a container without Node.js doesn't name the cause.
 */
const CHECK_NODE = `
if ! command -v node >/dev/null 2>&1; then
  printf '%s\\n' 'FAILED: there is no Node.js in the app image, in which migrations.command is to run.' '${NOTHING_DONE.replace("\n", "' '")}' '${NEXT}'
  exit 2
fi
if ! node -e 'process.exit(parseInt(process.versions.node, 10) < ${NODE} ? 1 : 0)'; then
  printf '%s\\n' "FAILED: the app image has Node.js $(node --version), and the migrator around migrations.command needs ${NODE} or later." '${NOTHING_DONE.replace("\n", "' '")}' '${NEXT}'
  exit 2
fi
exec node "$@"`.trim();

/** The fields in which the migration Job's container differs from the migrator's other containers. */
export interface CommandContainer {
  image: string;
  command: string[];
  /** The arguments that are added after the migrator's usual ones. */
  args: string[];
  env: types.input.core.v1.EnvVar[];
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}

/** Makes the container in which the app image's own command migrates. The migrator starts it and limits its time. */
export function commandContainer(
  migrator: string,
  appImage: string,
  { command = DEFAULT_COMMAND, env = {}, deadline }: Settings["migrations"],
  { env: variable = DEFAULT_VARIABLE }: { env?: string | undefined },
): CommandContainer {
  // The migrator must end the command before the Job's deadline does, because at the deadline Kubernetes deletes the
  // pod with its log.
  const timeout = Math.max(1, Math.floor(deadline.seconds * 0.9));
  const isOurs = URL_VARIABLES.includes(variable);
  return {
    image: appImage,
    command: ["/bin/sh", "-c", CHECK_NODE, "sh", migrator],
    args: ["--command-timeout", `${timeout}s`, ...(isOurs ? [] : ["--url-variable", variable]), "--", ...command],
    env: [{ name: "HOME", value: WRITABLE_FOLDER }, { name: "TMPDIR", value: WRITABLE_FOLDER }, ...variables(env)],
    volumes: [{ name: "writable", emptyDir: {} }],
    volumeMounts: [{ name: "writable", mountPath: WRITABLE_FOLDER }],
  };
}
