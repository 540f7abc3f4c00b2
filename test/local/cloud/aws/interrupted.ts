import { createAwsService } from "../../../../local/cloud/aws/service";

/**
 * A cloud in a process of its own, for tests that kill it: `node --import tsx interrupted.ts DIRECTORY METHOD PARAMETERS`
 * prints a line, calls the method, and stays.
 */
const [directory, method, parameters] = process.argv.slice(2);
const service = createAwsService(directory!);
process.stdout.write("begins\n");
setInterval(() => undefined, 1_000);
void (service.methods[method!] as (p: unknown) => Promise<unknown>)(JSON.parse(parameters!)).then(
  () => process.stdout.write("done\n"),
  (error: Error) => process.stdout.write(`${error.name}: ${error.message}\n`),
);
