import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { ReleaseError } from "../../components";

describe("an error for people", () => {
  test("is shown by Pulumi without a stack trace", () => {
    expect(pulumi.RunError.isInstance(new ReleaseError("No snapshot."))).toBe(true);
  });

  test("keeps its text when Pulumi puts the path of a property in front of it", () => {
    const error = new ReleaseError("No snapshot.");
    error.message = `error serializing property "outputs": ${error.message}`;
    expect(error.message).toBe("No snapshot.");
  });

  test("is formatted as its text, whatever Pulumi hangs onto it", () => {
    const error = Object.assign(new ReleaseError("No snapshot."), { promise: { graph: "x".repeat(10_000) } });
    expect(inspect(error)).toBe("No snapshot.");
  });
});
