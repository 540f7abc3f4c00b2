import type { types } from "@pulumi/kubernetes";
import type { Review } from "../review/review";
import { URL_VARIABLES } from "../settings/rules";
import type { Settings } from "../settings/schema";
import { variables } from "./pods";
import { ReleaseError } from "./release-error";

/** What the Prisma CLI is called with where `migrations.command` says nothing else. */
const DEFAULT_COMMAND = ["npx", "prisma", "migrate", "deploy"];

/** The oldest Node.js that the migrator runs on. */
const NODE = 20;

/** npm and the Prisma CLI write caches and logs; the image's own files stay read-only. */
const WRITABLE = "/tmp";

const NOTHING_DONE = "Database: nothing was changed.\nApp: not touched; the version that is serving goes on serving.";
const NEXT = `Next: build the app image with Node.js ${NODE} or later, or set migrations.runner to migrator; then: pulumi up (the same command as before)`;

/**
 * The migrator runs in the app's image, around its command. That image is not ours, so that it is looked at first: what a
 * container without Node.js says by itself helps nobody.
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

/** What the migration Job's container has that no other container of the migrator has. */
export interface CommandContainer {
  image: string;
  command: string[];
  /** Of the migrator, at the end of its own. */
  args: string[];
  env: types.input.core.v1.EnvVar[];
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}

/** Makes the container in which the app image's own command migrates, started and limited in time by our migrator. */
export function commandContainer(
  migrator: string,
  appImage: string,
  { command = DEFAULT_COMMAND, env = {}, deadline }: Settings["migrations"],
  database: { env: string },
): CommandContainer {
  // Ended by the migrator, it says what it was doing; ended by the Job's deadline, its pod is gone with all it said.
  const timeout = Math.max(1, Math.floor(deadline.seconds * 0.9));
  const isOurs = URL_VARIABLES.includes(database.env);
  return {
    image: appImage,
    command: ["/bin/sh", "-c", CHECK_NODE, "sh", migrator],
    args: ["--command-timeout", `${timeout}s`, ...(isOurs ? [] : ["--url-variable", database.env]), "--", ...command],
    env: [{ name: "HOME", value: WRITABLE }, { name: "TMPDIR", value: WRITABLE }, ...variables(env)],
    volumes: [{ name: "writable", emptyDir: {} }],
    volumeMounts: [{ name: "writable", mountPath: WRITABLE }],
  };
}

/** The app image's own command can't leave a migration for after the rollout. */
class ContractRefused extends ReleaseError {
  override readonly name = "ContractRefused";

  constructor(migration: string) {
    super(
      `${migration} is marked \`-- release: contract\`, to be applied after the rollout; with migrations.runner "command" the app image's own command would apply it before.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "Release without it first, and with it (its mark taken away) in the release after it; or set migrations.runner to migrator. Then run the same command again.",
    );
  }
}

/** @throws ContractRefused when one of the release's migrations waits for the rollout, and there is an old version to wait for */
export function refuseContract({ first, migrations }: Review): void {
  const held = first ? undefined : migrations.find(({ contract }) => contract);
  if (held) throw new ContractRefused(held.name);
}
