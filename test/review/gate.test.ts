import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../review/finding";
import { acknowledgementFor, gate } from "../../review/gate";
import { findingClasses } from "../../settings/finding-classes";

const finding = (more: Partial<Finding> = {}): Finding => ({
  id: "drop-column User.email",
  rule: "drop-column",
  classes: ["destructive", "incompatible"],
  severity: "error",
  migration: "2_drop",
  checksum: "abcdef0123456789",
  line: 1,
  what: "",
  who: "",
  howLong: "",
  ...more,
});

const policy = { refuse: ["destructive"] } as const;

describe("the gate", () => {
  test("refuses the classes of its policy, from warnings on", () => {
    expect(gate([finding()], policy, []).refused).toHaveLength(1);
    expect(gate([finding({ severity: "warning" })], policy, []).refused).toHaveLength(1);
    expect(gate([finding({ severity: "info" })], policy, []).refused).toEqual([]);
    expect(gate([finding()], { refuse: ["blocking"] }, []).refused).toEqual([]);
    expect(gate([finding()], { refuse: [] }, []).refused).toEqual([]);
  });

  test("lets pass what is acknowledged by id, or by rule for all of them", () => {
    const other = finding({ id: "drop-column User.name" });
    const byId = acknowledgementFor(finding(), "nobody uses it");
    expect(byId).toEqual({
      migration: "2_drop",
      finding: "drop-column User.email",
      checksum: "abcdef01",
      reason: "nobody uses it",
    });
    expect(gate([finding(), other], policy, [byId])).toMatchObject({
      refused: [other],
      acknowledged: [{ reason: "nobody uses it" }],
      void: [],
    });
    expect(gate([finding(), other], policy, [{ ...byId, finding: "drop-column" }]).refused).toEqual([]);
  });

  test.each([
    [{ checksum: "ffffffff" }, /changed since: its checksum begins with abcdef01/],
    [{ checksum: "abcdef0" }, /fewer than 8/],
    [{ checksum: "" }, /fewer than 8/],
    [{ reason: " " }, /gives no reason/],
    [{ migration: "3_other" }, /nothing in a migration of that name/],
    [{ finding: "drop-table" }, /finds no drop-table/],
  ])("an acknowledgement with %j counts for nothing, and says why", (change, why) => {
    const result = gate([finding()], policy, [{ ...acknowledgementFor(finding(), "because"), ...change }]);
    expect(result.refused).toHaveLength(1);
    expect(result.void).toHaveLength(1);
    expect(result.void[0]?.why).toMatch(why);
  });

  test("never lets pass what nobody acknowledged, whatever else is acknowledged", () => {
    const anyFinding = fc.record({
      id: fc.constantFrom("a x", "a y", "b x"),
      migration: fc.constantFrom("1", "2"),
      checksum: fc.constantFrom("aaaaaaaa11", "bbbbbbbb11"),
      severity: fc.constantFrom("info" as const, "warning" as const, "error" as const),
      classes: fc.uniqueArray(fc.constantFrom(...findingClasses), { minLength: 1 }),
    });
    const acknowledgement = fc.record({
      finding: fc.constantFrom("a x", "a", "b x", "b"),
      migration: fc.constantFrom("1", "2"),
      checksum: fc.constantFrom("aaaaaaaa", "bbbbbbbb", "aaaa"),
      reason: fc.constantFrom("", "because"),
    });
    fc.assert(
      fc.property(
        fc.array(anyFinding),
        fc.uniqueArray(fc.constantFrom(...findingClasses)),
        fc.array(acknowledgement),
        (drafts, refuse, acknowledgements) => {
          const findings = drafts.map((draft) => finding({ ...draft, rule: draft.id.split(" ")[0]! }));
          const result = gate(findings, { refuse }, acknowledgements);
          for (const item of findings) {
            const covered = acknowledgements.some(
              ({ finding: named, migration, checksum, reason }) =>
                migration === item.migration &&
                [item.id, item.rule].includes(named) &&
                checksum.length >= 8 &&
                item.checksum.startsWith(checksum) &&
                reason !== "",
            );
            const refusable = item.severity !== "info" && item.classes.some((name) => refuse.includes(name));
            expect(result.refused.includes(item)).toBe(refusable && !covered);
          }
        },
      ),
    );
  });
});
