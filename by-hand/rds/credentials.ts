import type { RDSClientConfig } from "@aws-sdk/client-rds";
import { fromIni, fromTemporaryCredentials, fromTokenFile, fromWebToken } from "@aws-sdk/credential-providers";
import type { ProviderSettings } from "../../settings/providers/providers";
import { parseDuration } from "../../text/short-duration";
import { defined } from "../defined";

type AwsSettings = ProviderSettings["aws"];
type Credentials = NonNullable<RDSClientConfig["credentials"]>;

/** The name of a session of an assumed role, by which CloudTrail shows who called, if the settings name none. */
const SESSION = "postgres-release";

/**
 * Returns the credentials that the settings of the AWS provider name: a profile or a token first, then one role after
 * the other.
 * @returns undefined if they name none, so that the SDK looks for them in AWS' own variables and files
 */
export function credentialsOf(aws: AwsSettings): Credentials | undefined {
  const clientConfig = defined({
    region: aws.stsRegion ?? aws.region,
    endpoint: aws.endpoints?.flatMap((each) => each["sts"] ?? [])[0],
    profile: aws.profile,
  });
  return (aws.assumeRoles ?? []).reduce<Credentials | undefined>(
    (masterCredentials, { roleArn, sessionName, externalId, sourceIdentity, tags, transitiveTagKeys, ...limits }) =>
      fromTemporaryCredentials({
        ...defined({ masterCredentials }),
        clientConfig,
        params: {
          RoleArn: roleArn,
          RoleSessionName: sessionName ?? SESSION,
          ...defined({
            DurationSeconds: secondsOf(limits),
            Policy: limits.policy,
            PolicyArns: limits.policyArns?.map((arn) => ({ arn })),
            ExternalId: externalId,
            SourceIdentity: sourceIdentity,
            Tags: tags && Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
            TransitiveTagKeys: transitiveTagKeys,
          }),
        },
      }),
    firstCredentials(aws, clientConfig),
  );
}

function firstCredentials(
  { profile, sharedCredentialsFiles, sharedConfigFiles, assumeRoleWithWebIdentity: web }: AwsSettings,
  clientConfig: { region?: string; endpoint?: string },
): Credentials | undefined {
  if (web) {
    const { roleArn, sessionName, policy, policyArns, webIdentityToken, webIdentityTokenFile } = web;
    const role = {
      ...{ roleArn, clientConfig },
      roleSessionName: sessionName ?? SESSION,
      ...defined({
        policy,
        durationSeconds: secondsOf(web),
        policyArns: policyArns?.map((arn) => ({ arn })),
      }),
    };
    return webIdentityToken === undefined
      ? fromTokenFile({ ...role, ...defined({ webIdentityTokenFile }) })
      : fromWebToken({ ...role, webIdentityToken });
  }
  if (profile === undefined && sharedCredentialsFiles === undefined && sharedConfigFiles === undefined)
    return undefined;
  const files = { filepath: sharedCredentialsFiles?.[0], configFilepath: sharedConfigFiles?.[0] };
  return fromIni({ ...defined({ profile, ...files }), clientConfig });
}

function secondsOf({ duration }: { duration?: string | undefined }): number | undefined {
  const milliseconds = duration === undefined ? undefined : parseDuration(duration);
  return milliseconds === undefined ? undefined : Math.round(milliseconds / 1000);
}
