import { resolve } from "node:path";

/** Holds an `Environment` as JSON, made ready before the first step; without it the database must be there already. */
export const ENVIRONMENT_VARIABLE = "RELEASE_LOCAL_ENVIRONMENT";

/** The packages that the local cloud serves. */
export type Package = "aws" | "kubernetes" | "command";

/** Without it Node 20 takes minutes and gigabytes to print an error of the program; see there. The plugins take it out again. */
export const QUICK_ERRORS = `--require ${JSON.stringify(resolve(__dirname, "../engine/preload.cjs"))}`;
