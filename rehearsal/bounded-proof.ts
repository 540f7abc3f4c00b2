import type { Measurement } from "../report/measurement";
import type { RehearsalProof } from "../report/rehearsal-proof";
import { counted } from "../text/counted";

/** The largest number of bytes of a proof. Kubernetes refuses a ConfigMap of more than 1 MiB. */
export const PROOF_BYTES = 768 * 1024;

/** The largest number of characters of a reason. */
const REASON_LENGTH = 4000;

/**
 * Returns a proof that fits into a ConfigMap. The details of the quickest statements are left out first, so that the
 * times of the slow ones, of every migration, and of every lock stay for the limits of a later release.
 */
export function boundedProof(proof: RehearsalProof): RehearsalProof {
  const { measurement, reason } = proof;
  const short = reason === undefined ? proof : { ...proof, reason: reason.slice(0, REASON_LENGTH) };
  if (fits(short) || !measurement) return short;
  const times = measurement.migrations.flatMap(({ statements }) => statements.map((each) => each.milliseconds));
  times.sort((a, b) => b - a);
  for (let kept = times.length >> 1; kept > 0; kept >>= 1) {
    const slow = withSlowest(measurement, times[kept]!);
    const left = times.length - slow.migrations.flatMap(({ statements }) => statements).length;
    const tried = { ...short, measurement: slow, leftOut: `the details of the ${counted(left, "quickest statement")}` };
    if (fits(tried)) return tried;
  }
  const bare = { ...withSlowest(measurement, Number.POSITIVE_INFINITY), growth: {}, plans: undefined };
  const tried = {
    ...short,
    measurement: bare,
    leftOut: "the details of all statements, the growth of tables and the plans",
  };
  return fits(tried) ? tried : { ...short, measurement: undefined, leftOut: "everything that was measured" };
}

function fits(proof: RehearsalProof): boolean {
  return Buffer.byteLength(JSON.stringify(proof)) <= PROOF_BYTES;
}

/** Keeps the statements that took longer than this. */
function withSlowest(measurement: Measurement, milliseconds: number): Measurement {
  const migrations = measurement.migrations.map((migration) => ({
    ...migration,
    statements: migration.statements.filter((each) => each.milliseconds > milliseconds),
  }));
  return { ...measurement, migrations };
}
