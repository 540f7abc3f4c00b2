import { delimiter, resolve } from "node:path";

/** The variable with the local cloud's directory, CLOUDDIR, for plugins and for the tools that commands use. */
export const CLOUD_VARIABLE = "RELEASE_LOCAL_CLOUD";

const BIN = resolve(__dirname, "../../bin");

/** The environment in which a command finds the local cloud's kubectl, and kubectl finds this cloud. */
export function toolsOf(cloudDir: string): Record<string, string> {
  return { PATH: [BIN, process.env["PATH"]].join(delimiter), [CLOUD_VARIABLE]: cloudDir };
}
