/** The part of the AWS SDK that makes tokens for IAM logins. It is bundled into a file of its own, `rds-signer.cjs`. */
export { Signer } from "@aws-sdk/rds-signer";
