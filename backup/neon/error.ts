/** An answer of Neon's API that is none of those that were hoped for. */
export class NeonError extends Error {
  override readonly name = "NeonError";

  /**
   * @param status the status of HTTP
   * @param code the code of Neon, such as BRANCHES_LIMIT_EXCEEDED; empty if the answer has none
   * @param request what was asked, such as "GET /projects/floral-king-961888/branches"
   */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
    readonly request: string,
  ) {
    super(`${request} was answered with ${status}${code === "" ? "" : ` ${code}`}: ${reason}`);
  }

  /** Whether the project has as many branches as its plan allows. A root branch has a limit of its own. */
  get isBranchLimit(): boolean {
    return this.code.endsWith("BRANCHES_LIMIT_EXCEEDED");
  }
}

/** Neon's API can't be reached, or doesn't answer. */
export class NeonUnreachable extends Error {
  override readonly name = "NeonUnreachable";

  constructor(
    readonly endpoint: string,
    readonly reason: string,
  ) {
    super(`No connection to ${endpoint}: ${reason}`);
  }
}
