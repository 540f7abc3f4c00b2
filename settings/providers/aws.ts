import { z } from "zod";
import { count, flag, texts, word, words } from "./values";

const REGION = "a region of AWS such as eu-central-1";
const ACCOUNTS = "a list of account ids, 12 digits each and in quotes";
const ROLE = "the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME";

const region = z.string({ error: () => REGION }).regex(/^[a-z]{2}(-[a-z0-9]+)+-\d+$/, REGION);
// An id without quotes is read as a number, which has lost its leading zeros if there were any.
const account = z
  .union([z.string(), z.number()], { error: () => ACCOUNTS })
  .transform(String)
  .refine((id) => /^\d{12}$/.test(id), ACCOUNTS);
const accounts = z.array(account, { error: () => ACCOUNTS }).refine((ids) => ids.length > 0, ACCOUNTS);

const assumed = {
  roleArn: z.string({ error: () => ROLE }).regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, ROLE),
  duration: word.optional(),
  policy: word.optional(),
  policyArns: words.optional(),
  sessionName: word.optional(),
};

/**
 * The configuration of the AWS provider, `aws:…`, by the provider's own keys. What is left out is the provider's own
 * default; most keys can be set by AWS' environment variables and files too.
 *
 * @see https://www.pulumi.com/registry/packages/aws/installation-configuration/#configuration-options
 */
export const aws = {
  accessKey: word.optional(),
  allowedAccountIds: accounts.optional(),
  assumeRoleWithWebIdentity: z
    .strictObject({ ...assumed, webIdentityToken: word.optional(), webIdentityTokenFile: word.optional() })
    .optional(),
  assumeRoles: z
    .array(
      z.strictObject({
        ...assumed,
        externalId: word.optional(),
        sourceIdentity: word.optional(),
        tags: texts.optional(),
        transitiveTagKeys: words.optional(),
      }),
      { error: () => 'a list of roles such as [{roleArn: "arn:aws:iam::…"}]' },
    )
    .optional(),
  customCaBundle: word.optional(),
  defaultTags: z.strictObject({ tags: texts }).optional(),
  ec2MetadataServiceEndpoint: word.optional(),
  ec2MetadataServiceEndpointMode: z.enum(["IPv4", "IPv6"]).optional(),
  endpoints: z
    .array(
      z.record(
        z.string(),
        z.url({ protocol: /^https?$/, error: () => "an address that begins with http:// or https://" }),
      ),
      { error: () => "a list of addresses by service, [{rds: https://…, sts: https://…}]" },
    )
    .optional(),
  forbiddenAccountIds: accounts.optional(),
  httpProxy: word.optional(),
  httpsProxy: word.optional(),
  ignoreTags: z.strictObject({ keys: words.optional(), keyPrefixes: words.optional() }).optional(),
  insecure: flag.optional(),
  maxRetries: count.optional(),
  noProxy: word.optional(),
  profile: word.optional(),
  region: region.optional(),
  retryMode: z.enum(["standard", "adaptive"]).optional(),
  s3UsEast1RegionalEndpoint: z.enum(["legacy", "regional"]).optional(),
  s3UsePathStyle: flag.optional(),
  secretKey: word.optional(),
  sharedConfigFiles: words.optional(),
  sharedCredentialsFiles: words.optional(),
  skipCredentialsValidation: flag.optional(),
  skipMetadataApiCheck: flag.optional(),
  skipRegionValidation: flag.optional(),
  skipRequestingAccountId: flag.optional(),
  stsRegion: region.optional(),
  tagPolicyCompliance: z.enum(["error", "warning", "disabled"]).optional(),
  token: word.optional(),
  tokenBucketRateLimiterCapacity: count.optional(),
  useDualstackEndpoint: flag.optional(),
  useFipsEndpoint: flag.optional(),
  userAgents: words.optional(),
};

/** The keys whose values are credentials. They are accepted only if they were set with `--secret`. */
export const AWS_CREDENTIALS = ["accessKey", "secretKey", "token"] as const;
