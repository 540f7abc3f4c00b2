/** This error reports why the migrations can't be run here, as a clause. It says nothing about the migrations. */
export class TrialUnavailable extends Error {
  override readonly name = "TrialUnavailable";
}

/** The seed (`review.seed`) failed. None of the migrations under review was run. */
export class SeedFailed extends Error {
  override readonly name = "SeedFailed";

  /** @param why what failed, as a clause */
  constructor(seed: string, why: string) {
    super(
      `The seed ${seed} (review.seed) failed: ${why}.\n` +
        "It ran on a temporary database, which is removed.\n" +
        "Correct the seed, or pass --no-run, and run the same command again.",
    );
  }
}
