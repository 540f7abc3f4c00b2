/** A file that the review was given can't be used: everything that is wrong with it. */
export class ReviewSettingsError extends Error {
  override readonly name = "ReviewSettingsError";
}
