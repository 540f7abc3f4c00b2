import { inspect } from "node:util";
import { RunError } from "@pulumi/pulumi";

/**
 * An error that ends the release. The user sees only its text, without a stack trace.
 *
 * If an ordinary error is thrown inside an `apply`, the user sees `error serializing property "outputs": error
 * serializing property "spec": …`, and only after half a minute. Pulumi puts those words in front of `message` and
 * attaches the whole graph of outputs to the error, which Node.js then formats. This class prevents both.
 */
export class ReleaseError extends RunError {
  constructor(text: string) {
    super(text);
    Object.defineProperty(this, "message", { get: () => text, set: () => {} });
  }

  [inspect.custom](): string {
    return this.message;
  }
}
