import { UnpairedControl, unitsOf } from "../../apply/units";
import type { PreflightCheck } from "./context";

/** Looks for a BEGIN without its COMMIT, and a COMMIT or ROLLBACK without its BEGIN, in the pending migrations. */
export const transactions: PreflightCheck = {
  name: "transactions",
  kind: "data",
  async run({ planned }) {
    const findings = planned.plans.flatMap(({ name, mode, statements }) => {
      if (mode !== "own") return [];
      try {
        unitsOf(statements);
        return [];
      } catch (error) {
        if (!(error instanceof UnpairedControl)) throw error;
        const what = `${name} can't be run as it is meant: ${error.message}.`;
        return [{ what, evidence: [], next: `${error.remedy} in ${name}/migration.sql` }];
      }
    });
    return { findings, facts: "each has" };
  },
};
