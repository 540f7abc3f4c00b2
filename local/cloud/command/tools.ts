import { delimiter, resolve } from "node:path";

/** Names the directory of the local cloud (CLOUDDIR) to what is started for it: plugins, and the tools of commands. */
export const CLOUD_VARIABLE = "RELEASE_LOCAL_CLOUD";

const BIN = resolve(__dirname, "../../bin");

/** The environment in which a command finds this cloud's own kubectl, and that finds this cloud. */
export function toolsOf(cloudDir: string): Record<string, string> {
  return { PATH: [BIN, process.env["PATH"]].join(delimiter), [CLOUD_VARIABLE]: cloudDir };
}
