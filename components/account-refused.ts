import { ReleaseError } from "./release-error";

/** This error reports that the AWS credentials belong to an account that the stack's settings exclude. */
export class AccountRefused extends ReleaseError {
  override readonly name = "AccountRefused";

  constructor(account: string) {
    super(
      `The AWS credentials belong to account ${account}, which this stack doesn't allow ` +
        "(aws:allowedAccountIds or aws:forbiddenAccountIds).\n" +
        "Nothing was touched: database and app are as they were.\n" +
        "Take the credentials of the right account (aws:profile, aws:assumeRoles or AWS_PROFILE; " +
        "`aws sts get-caller-identity` shows whose they are), and run the same command again.",
    );
  }
}

/** Returns the error for a refusal of the account by the AWS provider; undefined for any other error. */
export function accountRefused(error: unknown): AccountRefused | undefined {
  const account = /AWS account ID not allowed: (\d+)/i.exec(String(error))?.[1];
  return account === undefined ? undefined : new AccountRefused(account);
}
