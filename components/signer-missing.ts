import { ReleaseError } from "./release-error";

/** This error reports a program that gives no signer, while its settings want logins by IAM. */
export class SignerMissing extends ReleaseError {
  override readonly name = "SignerMissing";

  constructor() {
    super(
      'The setting database.auth is "iam", but the program passes no `signer`, which makes the tokens.\n' +
        "Nothing was touched: database and app are as they were.\n" +
        "Pass all of the inputs that `prepareRelease` returns, and run the same command again.",
    );
  }
}
