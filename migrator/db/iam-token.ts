import { NoToken } from "../failures/iam";

/** The login for which a token is made. */
export interface IamLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Returns a connection string with a token in the place of the password, for a program that reads such a string. */
export function urlWithToken(connection: string, token: string): string {
  const url = new URL(connection);
  // The setter would leave the token's own percent signs as they are, and the reader would decode them.
  url.password = encodeURIComponent(token);
  return url.href;
}

/** The longest time, in milliseconds, in which STS or the node's agent has to give credentials. */
const LONGEST = 20_000;

/**
 * Returns the region for which tokens of a host are signed: the one in the host's name, or else AWS_REGION. China's
 * hosts have the region behind `rds`.
 */
export function signingRegion(host: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = /\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.rds\.amazonaws\.com$|\.rds\.([a-z-]+-\d+)\.amazonaws\.com\.cn$/i.exec(
    host,
  );
  const found = named?.[1] ?? named?.[2];
  return found?.toLowerCase() ?? (environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || undefined);
}

/**
 * Makes a token, with which a role of the database logs in instead of a password. It is a presigned URL, valid for 15
 * minutes from now; a session that is open by then stays open. The credentials come from where the AWS SDK looks for
 * them: IRSA (AWS_WEB_IDENTITY_TOKEN_FILE), EKS Pod Identity (AWS_CONTAINER_CREDENTIALS_FULL_URI), and so on.
 * @throws NoToken if there are no credentials, or the host's region is unknown
 */
export async function iamToken({ host, port, user }: IamLogin): Promise<string> {
  const region = signingRegion(host);
  if (region === undefined) throw NoToken.withoutRegion(host);
  // The SDK would warn on Node 20 that later versions of it need a later Node. Its version here is pinned.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const { Signer } = await import("@aws-sdk/rds-signer");
  const signer = new Signer({ hostname: host, port, username: user, region });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no credentials within ${LONGEST / 1000} s`)), LONGEST);
  });
  try {
    return await Promise.race([signer.getAuthToken(), late]);
  } catch (error) {
    throw NoToken.withoutCredentials(user, (error as Error).message, error);
  } finally {
    clearTimeout(timer);
  }
}
