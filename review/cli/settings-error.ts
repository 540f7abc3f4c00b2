/** This error reports that an option or a file of the review can't be used, and everything that is wrong with it. */
export class ReviewSettingsError extends Error {
  override readonly name = "ReviewSettingsError";
}
