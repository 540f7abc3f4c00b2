/** Whether this is the package that `npm pack` makes. The builds set it; it is not defined where sources are run. */
declare const PACKAGED: boolean;

/**
 * Returns the beginning of the command line that starts one of this project's commands where the reader is: in a
 * checkout of the project, or in a program that has installed the package.
 */
export function commandLine(command: "migrator" | "ops" | "restore" | "review"): string {
  return typeof PACKAGED !== "undefined" && PACKAGED ? `npx postgres-release ${command}` : `npm run ${command} --`;
}
