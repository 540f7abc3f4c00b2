import { join } from "node:path";

/**
 * This module replaces `@aws-sdk/rds-signer` inside the bundle of the migrator. The signer is a file beside the bundle,
 * because it is large and few releases need it.
 */
export const { Signer } = require(join(__dirname, "rds-signer.cjs")) as typeof import("@aws-sdk/rds-signer");
