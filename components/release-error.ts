import { inspect } from "node:util";
import { RunError } from "@pulumi/pulumi";

/**
 * A release that ends with a message for people: no stack trace, and no more than its own text.
 *
 * Thrown inside an `apply`, an ordinary error reaches the person as `error serializing property "outputs": error
 * serializing property "spec": …`, and after half a minute: Pulumi puts those words in front of `message`, and hangs the
 * whole graph of outputs onto the error, which Node then formats. Neither happens to this one.
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
