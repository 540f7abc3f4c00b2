import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextStep, type ReplicaCount, resolveBounds } from "../../../../local/cloud/kubernetes/rollout";

const replicas = fc.nat(8);
const state = fc
  .record({ desired: fc.integer({ min: 1, max: 8 }), maxSurge: fc.nat(3), maxUnavailable: fc.nat(3) })
  .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0);

describe("a rolling update", () => {
  test("never has more pods than maxSurge allows, nor takes away more working ones than maxUnavailable does", () => {
    const counts = fc.record({ wanted: replicas, unavailable: replicas }).map(({ wanted, unavailable }) => ({
      wanted,
      available: Math.max(0, wanted - unavailable),
    }));
    fc.assert(
      fc.property(state, counts, fc.array(counts, { maxLength: 3 }), (bounds, current, old) => {
        const next = nextStep({ ...bounds, current, old });
        const before = total([current, ...old].map(({ wanted }) => wanted));
        const after = next.current + total(next.old);
        expect(after).toBeLessThanOrEqual(Math.max(before, bounds.desired + bounds.maxSurge));
        // In the worst case it is working pods that go.
        const gone = total(old.map(({ available }, i) => Math.max(0, available - next.old[i]!)));
        const working = current.available + total(old.map(({ available }) => available));
        expect(working - gone).toBeGreaterThanOrEqual(Math.min(working, bounds.desired - bounds.maxUnavailable));
        expect(next.old.every((size, i) => size >= 0 && size <= old[i]!.wanted)).toBe(true);
      }),
    );
  });

  test("ends with the new pods only, when they work", () => {
    fc.assert(
      fc.property(state, replicas, fc.boolean(), (bounds, oldSize, oldWorks) => {
        let current: ReplicaCount = { wanted: 0, available: 0 };
        let old: ReplicaCount = { wanted: oldSize, available: oldWorks ? oldSize : 0 };
        for (let round = 0; round < 50; round++) {
          const next = nextStep({ ...bounds, current, old: [old] });
          current = { wanted: next.current, available: next.current };
          old = { wanted: next.old[0]!, available: oldWorks ? next.old[0]! : 0 };
        }
        expect({ current: current.wanted, old: old.wanted }).toEqual({ current: bounds.desired, old: 0 });
      }),
    );
  });

  test("stays where it is while no new pod becomes ready", () => {
    let current: ReplicaCount = { wanted: 0, available: 0 };
    let old: ReplicaCount = { wanted: 3, available: 3 };
    for (let round = 0; round < 20; round++) {
      const next = nextStep({ desired: 3, maxSurge: 1, maxUnavailable: 0, current, old: [old] });
      current = { wanted: next.current, available: 0 };
      old = { wanted: next.old[0]!, available: next.old[0]! };
    }
    expect({ current: current.wanted, old: old.wanted }).toEqual({ current: 1, old: 3 });
  });

  test.each([
    [4, "25%", "25%", { maxSurge: 1, maxUnavailable: 1 }],
    [2, "25%", "25%", { maxSurge: 1, maxUnavailable: 0 }],
    [3, 0, 0, { maxSurge: 0, maxUnavailable: 1 }],
    [10, "30%", 2, { maxSurge: 3, maxUnavailable: 2 }],
  ])("of %i pods with maxSurge %s and maxUnavailable %s", (desired, surge, unavailable, expected) => {
    expect(resolveBounds(desired, surge, unavailable)).toEqual(expected);
  });
});

function total(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
