// Errors of the program are shown at once, also in a program that doesn't know of this file.
import "../quick-errors.cjs";

export * from "../components";
export {
  type OwnProviders,
  type PreparedRelease,
  type PrepareOptions,
  prepareRelease,
} from "./prepare-release";
