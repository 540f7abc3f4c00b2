import { describeLook, undecided } from "../hotfix/describe";
import type { PreflightCheck } from "./context";

/** Reports what the release does with each pending hotfix, and those for which it can't decide. */
export const hotfix: PreflightCheck = {
  name: "hotfix",
  kind: "history",
  async run({ run, hotfixes }) {
    return {
      findings: hotfixes.flatMap((look) => undecided(look, run.settings) ?? []),
      facts: hotfixes.length === 0 ? "none is pending" : hotfixes.map(describeLook).join(". "),
    };
  },
};
