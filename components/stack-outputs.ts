import { setTimeout as pause } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";

const TRIES = 10;
const BETWEEN_TRIES_MS = 200;

/**
 * Reads the outputs of a stack, as a StackReference does, before any resource is declared. It runs in previews too.
 *
 * @param name the full name: organization/project/stack
 * @throws the error of the backend, such as `unknown stack`
 */
export async function stackOutputsOf(name: string): Promise<Record<string, unknown>> {
  for (let tried = 1; ; tried++) {
    try {
      const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
      return outputs ?? {};
    } catch (error) {
      // A file backend writes its checkpoint in place, so the CLI may be in the middle of it.
      if (tried === TRIES || !/failed to load checkpoint: .*EOF/.test(String(error))) throw error;
      await pause(BETWEEN_TRIES_MS);
    }
  }
}
