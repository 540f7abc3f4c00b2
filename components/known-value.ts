import * as pulumi from "@pulumi/pulumi";

/**
 * Waits until an input is known, and returns its value. In a preview an input that is unknown never becomes known, so
 * only inputs that have a value there are waited for.
 */
export function knownValue<T extends string | undefined>(input: pulumi.Input<T>): Promise<T> {
  return new Promise((resolve) => {
    pulumi.output<T>(input).apply((value) => resolve(value as T));
  });
}
