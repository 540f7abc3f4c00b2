import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { RDSClient, type RDSClientConfig } from "@aws-sdk/client-rds";
import { AWS_CREDENTIALS } from "../../settings/providers/aws";
import { type ProviderSettings, parseProviders } from "../../settings/providers/providers";
import { keysOf } from "../../settings/stack-file";
import { defined } from "../defined";
import { type CommandStack, invalidSettings } from "../stack";
import { credentialsOf } from "./credentials";

/** The variable with the address of the local cloud's RDS, which takes the place of the account's. */
const LOCAL_VARIABLE = "RELEASE_LOCAL_RDS";

/** How a command by hand reaches RDS, and which accounts it may work in. */
export interface RdsAccess {
  readonly client: RDSClient;
  /** The account ids of `aws:allowedAccountIds`; undefined: any. */
  readonly allowed: readonly string[] | undefined;
  /** The account ids of `aws:forbiddenAccountIds`. */
  readonly forbidden: readonly string[];
}

/**
 * Reaches RDS as the stack's configuration of the AWS provider says: region, profile, roles, endpoints. What it leaves
 * out comes from AWS' own variables and files, as with the provider.
 * @param elsewhere another region than that of the configuration
 * @throws CommandFailure that lists everything that is wrong in that configuration
 */
export function rdsAccess({ name, config }: Pick<CommandStack, "name" | "config">, elsewhere?: string): RdsAccess {
  const raw = Object.fromEntries([...config].filter(([key, value]) => key.startsWith("aws:") && value !== null));
  const local = process.env[LOCAL_VARIABLE];
  const encrypted = AWS_CREDENTIALS.filter((key) => "secure" in keysOf(raw[`aws:${key}`]));
  for (const key of encrypted) delete raw[`aws:${key}`];
  const { providers, mistakes } = parseProviders(raw);
  const aws = { ...providers?.aws, ...(elsewhere === undefined ? {} : { region: elsewhere }) };
  const problems = [
    ...mistakes.map(({ text }) => text),
    ...encrypted.map(
      (key) =>
        `aws:${key} is encrypted, and only Pulumi can read it; leave it out and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or use aws:profile or aws:assumeRoles`,
    ),
    ...(["httpProxy", "httpsProxy"] as const)
      .filter((key) => aws[key] !== undefined)
      .map(
        (key) =>
          `aws:${key} is set, and this command can't go through a proxy; run it where RDS is reached without one`,
      ),
  ];
  if (local === undefined && problems.length > 0) throw invalidSettings(name, problems);
  // The SDK's advice about versions of Node.js is of no use to somebody who types a command.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const { region = "xx-local-1", allowedAccountIds: allowed, forbiddenAccountIds: forbidden = [] } = aws;
  return {
    client: new RDSClient(local === undefined ? clientConfig(aws) : { endpoint: local, region }),
    ...{ allowed, forbidden },
  };
}

function clientConfig(aws: ProviderSettings["aws"]): RDSClientConfig {
  const { region, profile, useFipsEndpoint, useDualstackEndpoint, maxRetries, retryMode } = aws;
  const agent = agentOf(aws);
  return defined({
    ...{ region, profile, useFipsEndpoint, useDualstackEndpoint, retryMode },
    endpoint: aws.endpoints?.flatMap((each) => each["rds"] ?? [])[0],
    credentials: credentialsOf(aws),
    // A restore asks for hours, and a short trouble of the network must not end it. The SDK's own default is 3.
    maxAttempts: maxRetries === undefined ? 8 : maxRetries + 1,
    requestHandler: agent && { httpsAgent: agent },
  });
}

function agentOf({ customCaBundle, insecure }: ProviderSettings["aws"]): Agent | undefined {
  if (customCaBundle === undefined && insecure !== true) return undefined;
  return new Agent({
    keepAlive: true,
    ...defined({
      ca: customCaBundle === undefined ? undefined : readFileSync(customCaBundle),
      rejectUnauthorized: insecure === true ? false : undefined,
    }),
  });
}
