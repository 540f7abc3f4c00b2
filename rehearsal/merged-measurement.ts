import type { MeasuredPlan, Measurement } from "../report/measurement";

/** Returns what two runs of the migrator did, one after the other, as if it had been one. */
export function mergedMeasurement(
  first: Measurement | undefined,
  second: Measurement | undefined,
): Measurement | undefined {
  if (!first || !second) return first ?? second;
  return {
    milliseconds: first.milliseconds + second.milliseconds,
    migrations: [...first.migrations, ...second.migrations],
    growth: mergedGrowth(first.growth, second.growth),
    diskBytes: first.diskBytes + second.diskBytes,
    walBytes: first.walBytes + second.walBytes,
    plans: first.plans && second.plans ? mergedPlans(first.plans, second.plans) : (first.plans ?? second.plans),
  };
}

function mergedGrowth(first: Measurement["growth"], second: Measurement["growth"]): Measurement["growth"] {
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  return Object.fromEntries(
    names.map((name) => {
      const [one, two] = [first[name], second[name]];
      const before = one ? one.before : two?.before;
      const after = two ? two.after : one?.after;
      return [name, { ...(before && { before }), ...(after && { after }) }];
    }),
  );
}

/** A statement whose plan changed in both runs was before as the first run saw it, and is now as the second one did. */
function mergedPlans(first: readonly MeasuredPlan[], second: readonly MeasuredPlan[]): MeasuredPlan[] {
  const later = new Map(second.map((plan) => [plan.statement, plan]));
  const both = first.map((plan) => {
    const last = later.get(plan.statement);
    return last ? { ...last, costBefore: plan.costBefore, before: plan.before } : plan;
  });
  const known = new Set(first.map(({ statement }) => statement));
  return [...both, ...second.filter(({ statement }) => !known.has(statement))];
}
