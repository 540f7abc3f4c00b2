import { resolve } from "node:path";

/** The variable with an `Environment` as JSON to prepare before the first step; without it the database must exist. */
export const ENVIRONMENT_VARIABLE = "RELEASE_LOCAL_ENVIRONMENT";

/** The packages for which the local cloud has plugins. */
export type Package = "aws" | "kubernetes" | "command";

/**
 * The Node.js option that loads the preload script. Without that script Node.js 20 takes minutes and gigabytes to print
 * an error of the program. The plugins remove the option again.
 */
export const QUICK_ERRORS = `--require ${JSON.stringify(resolve(__dirname, "../engine/preload.cjs"))}`;
