/** How far a rolling update may go at this moment: pure arithmetic of the Deployment controller. */
export interface RolloutState {
  /** The Deployment's `spec.replicas`. */
  desired: number;
  maxSurge: number;
  maxUnavailable: number;
  current: ReplicaCount;
  /** Older ReplicaSets, the oldest first. */
  old: ReplicaCount[];
}

export interface ReplicaCount {
  /** What the ReplicaSet is told to have. */
  wanted: number;
  /** How many of its pods are available. */
  available: number;
}

export interface RolloutStep {
  current: number;
  old: number[];
}

/** The next sizes of the ReplicaSets: first the new one up within maxSurge, then the old ones down within maxUnavailable. */
export function nextStep({ desired, maxSurge, maxUnavailable, current, old }: RolloutState): RolloutStep {
  const oldWanted = sum(old.map(({ wanted }) => wanted));
  const room = Math.max(0, desired + maxSurge - current.wanted - oldWanted);
  const grown = current.wanted < desired ? Math.min(desired, current.wanted + room) : desired;

  const minAvailable = desired - maxUnavailable;
  const newUnavailable = Math.max(0, Math.min(current.wanted, grown) - current.available);
  const mayGo = current.wanted + oldWanted - minAvailable - newUnavailable;
  const sizes = old.map(({ wanted }) => wanted);

  // Old pods that do not work serve nobody: they go first, within the same bound.
  let unhealthy = mayGo;
  for (const [i, { wanted, available }] of old.entries()) {
    const cut = Math.max(0, Math.min(unhealthy, wanted - available));
    sizes[i] = wanted - cut;
    unhealthy -= cut;
  }
  // Then healthy ones, as long as enough stay available.
  let spare = sum(old.map(({ available }) => available)) + current.available - minAvailable;
  for (const [i, size] of sizes.entries()) {
    const cut = Math.max(0, Math.min(spare, size));
    sizes[i] = size - cut;
    spare -= cut;
  }
  return { current: grown, old: sizes };
}

/** `25%` or a number of pods. Percentages of maxSurge round up, those of maxUnavailable down; both may not be 0. */
export function resolveBounds(
  desired: number,
  maxSurge: number | string,
  maxUnavailable: number | string,
): { maxSurge: number; maxUnavailable: number } {
  const resolve = (value: number | string, round: (n: number) => number) =>
    typeof value === "string" && value.endsWith("%")
      ? round((Number.parseFloat(value) * desired) / 100)
      : Number(value);
  const surge = resolve(maxSurge, Math.ceil);
  const unavailable = resolve(maxUnavailable, Math.floor);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
