import { createAwsService } from "../../../../local/cloud/aws/service";
import type { Method } from "../../../../local/cloud/service";

/**
 * A cloud in a process of its own, for tests that kill it: `node --import tsx interrupted.ts DIRECTORY METHOD PARAMETERS`
 * prints a line, calls the method, and stays.
 */
const [directory, method, parameters] = process.argv.slice(2);
const service = createAwsService(directory!);
process.stdout.write("begins\n");
setInterval(() => undefined, 1_000);
const methods: Record<string, Method<never, unknown>> = { ...service.methods };
void methods[method!]!(JSON.parse(parameters!) as never).then(
  () => process.stdout.write("done\n"),
  (error: Error) => process.stdout.write(`${error.name}: ${error.message}\n`),
);
