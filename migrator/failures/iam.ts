import { Failure, UNTOUCHED } from "./failure";

/** There is no token for an IAM login: AWS gives no credentials, or the region is unknown. */
export class NoToken extends Failure {
  override readonly code = "no-token";
  override readonly exit = 3;

  private constructor(what: string, next: string, cause?: unknown) {
    super({ what, database: UNTOUCHED, next: `${next}, then: {rerun}` }, { cause });
  }

  /** @param reason what the AWS SDK says; it contains no credentials */
  static withoutCredentials(user: string, reason: string, cause?: unknown): NoToken {
    return new NoToken(
      `There is no IAM token for the role "${user}", because AWS gave no credentials: ${reason}`,
      "give the service account of the Job an IAM role (setting migrations.serviceAccount; EKS Pod Identity association, or IRSA's annotation eks.amazonaws.com/role-arn and the role's trust policy); by hand, log in to AWS",
      cause,
    );
  }

  static withoutRegion(host: string): NoToken {
    return new NoToken(
      `There is no IAM token, because the host ${host} names no region and AWS_REGION is not set`,
      "give the endpoint of RDS itself as the host, for which the token is signed, or set AWS_REGION",
    );
  }
}
