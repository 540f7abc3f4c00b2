import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The Pulumi CLI, or its part that runs Node.js programs, is not on PATH. */
export class PulumiMissing extends Error {
  constructor(readonly executable: string) {
    super(
      `There is no ${executable} on PATH. Nothing was touched: database and app are as they were. ` +
        "Install the Pulumi CLI (https://www.pulumi.com/docs/install/) and run the same command again; " +
        "a stack that the CLI has made can't be changed without it.",
    );
    this.name = "PulumiMissing";
  }
}

/**
 * Returns the path of the CLI on PATH.
 *
 * @throws PulumiMissing
 */
export function findPulumi(path: string = process.env["PATH"] ?? ""): string {
  const [pulumi] = ["pulumi", "pulumi-language-nodejs"].map((name) => {
    const found = path
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, name))
      .find(isExecutable);
    if (!found) throw new PulumiMissing(name);
    return found;
  });
  return pulumi!;
}

export function hasPulumi(path?: string): boolean {
  try {
    findPulumi(path);
    return true;
  } catch {
    return false;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
