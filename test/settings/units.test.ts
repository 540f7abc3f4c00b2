import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Duration, parseCpu, parseMemory } from "../../settings/units";

describe("durations", () => {
  test.each([
    ["45s", 45],
    ["10m", 600],
    ["2h", 7200],
    ["1d", 86_400],
    ["1h30m", 5400],
    ["1.5h", 5400],
  ])("%s is %i seconds", (text, seconds) => expect(Duration.parse(text)?.seconds).toBe(seconds));

  test.each(["", "5", "s", "-5s", "5 m", "5ms", "1.5s", "1h 30m", "1w"])("%j is none", (text) => {
    expect(Duration.parse(text)).toBeUndefined();
  });

  test("add up, part by part", () => {
    fc.assert(
      fc.property(fc.nat(999), fc.nat(999), fc.nat(999), (hours, minutes, seconds) => {
        expect(Duration.parse(`${hours}h${minutes}m${seconds}s`)?.seconds).toBe(hours * 3600 + minutes * 60 + seconds);
      }),
    );
  });
});

describe("quantities of Kubernetes", () => {
  test.each([
    ["128Mi", 134_217_728],
    ["1Gi", 1_073_741_824],
    ["500M", 5e8],
    ["64", 64],
  ])("memory %s", (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  test.each([
    ["250m", 0.25],
    ["1.5", 1.5],
  ])("CPU %s", (text, cores) => expect(parseCpu(text)).toBe(cores));

  test.each(["512MB", "1 Gi", "-1Mi", "lots", ""])("no memory: %j", (text) =>
    expect(parseMemory(text)).toBeUndefined(),
  );
});
