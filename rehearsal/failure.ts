/** The rehearsal has shown that the release would fail, or would take more than its limits. */
export class RehearsalFailed extends Error {
  override readonly name = "RehearsalFailed";

  /**
   * @param what what failed, as one sentence
   * @param detail further lines, without values of rows
   */
  constructor(
    what: string,
    readonly detail?: string | undefined,
  ) {
    super(what);
  }

  /** The reason in one line, for the proof. */
  get reason(): string {
    const [first] = (this.detail ?? "").split("\n");
    return first ? `${this.message} ${first}` : this.message;
  }
}
