import { Failure } from "./failure";

/** `restored` found that a restored database lacks something. */
export class RestoredIncomplete extends Failure {
  override readonly code = "restored-incomplete";
  override readonly exit = 9;

  constructor(findings: readonly string[]) {
    super({
      what: findings.length === 1 ? findings[0]! : `The restored database lacks ${findings.length} things.`,
      detail: findings.length === 1 ? undefined : findings.map((each) => `- ${each}`),
      database: "only the copy was looked at, and analyzed.",
      next: "restore another backup or moment; to look at this one once more: {rerun}",
    });
  }
}
