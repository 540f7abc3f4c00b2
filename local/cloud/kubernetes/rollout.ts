/** The current state of a rolling update, from which the Deployment controller computes the next step. */
export interface RolloutState {
  /** The Deployment's `spec.replicas`. */
  desired: number;
  maxSurge: number;
  maxUnavailable: number;
  current: ReplicaCount;
  /** The older ReplicaSets, the oldest first. */
  old: ReplicaCount[];
}

export interface ReplicaCount {
  /** The number of pods that the ReplicaSet should have. */
  wanted: number;
  /** The number of its pods that are available. */
  available: number;
}

export interface RolloutStep {
  current: number;
  old: number[];
}

/** The next sizes: the new ReplicaSet grows within maxSurge, then the old ones shrink within maxUnavailable. */
export function nextStep({ desired, maxSurge, maxUnavailable, current, old }: RolloutState): RolloutStep {
  const oldWanted = sum(old.map(({ wanted }) => wanted));
  const room = Math.max(0, desired + maxSurge - current.wanted - oldWanted);
  const grown = current.wanted < desired ? Math.min(desired, current.wanted + room) : desired;

  const minAvailable = desired - maxUnavailable;
  const newUnavailable = Math.max(0, Math.min(current.wanted, grown) - current.available);
  const mayGo = current.wanted + oldWanted - minAvailable - newUnavailable;
  const sizes = old.map(({ wanted }) => wanted);

  // Old pods that are not available serve no requests, so they are removed first, within the same bound.
  let unhealthy = mayGo;
  for (const [i, { wanted, available }] of old.entries()) {
    const cut = Math.max(0, Math.min(unhealthy, wanted - available));
    sizes[i] = wanted - cut;
    unhealthy -= cut;
  }
  // Then available old pods are removed, as long as enough pods stay available.
  let spare = sum(old.map(({ available }) => available)) + current.available - minAvailable;
  for (const [i, size] of sizes.entries()) {
    const cut = Math.max(0, Math.min(spare, size));
    sizes[i] = size - cut;
    spare -= cut;
  }
  return { current: grown, old: sizes };
}

/**
 * Resolves bounds such as `25%` or `2`. Percentages of maxSurge round up, those of maxUnavailable down. If both are 0,
 * maxUnavailable becomes 1.
 */
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
