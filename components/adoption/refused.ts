import { ReleaseError } from "../release-error";
import type { Obstacle } from "./obstacle";
import { merged, proposalText } from "./proposals";

/**
 * This error reports that somebody else made what the rollout would change. It is thrown before anything is changed.
 */
export class RolloutRefused extends ReleaseError {
  override readonly name = "RolloutRefused";

  constructor(obstacles: readonly Obstacle[]) {
    const proposed = merged(obstacles);
    const steps = [...new Set(obstacles.flatMap(({ next }) => next ?? []))];
    const settings = Object.keys(proposed).length > 0;
    const next = [...steps, ...(settings ? ["put what stands below into the settings of this stack"] : [])].join("; ");
    super(
      `Objects of this release are in the cluster already, and Pulumi did not make them:\n${obstacles.map(({ what }) => what).join("\n")}\n` +
        "Nothing was touched: the database and the app are as they were.\n" +
        `Next: ${next}. Then run the same command again.` +
        (settings ? `\n${proposalText(proposed)}` : ""),
    );
  }
}
