import { beforeEach, describe, expect, test } from "vitest";
import type { EngineEvent } from "../../../local/engine/events";
import { CliEvents } from "../../../local/plugin/cli-events";

const JOB = "urn:pulumi:local::release::release:index:Release$kubernetes:batch/v1:Job::notes-migrate-1";
let told: EngineEvent[];
let events: CliEvents;

beforeEach(() => {
  told = [];
  events = new CliEvents((event) => told.push(event));
});

const tell = (event: object) => events.line(JSON.stringify({ sequence: 1, timestamp: 1, ...event }));
const metadata = (op: string, more: object = {}) => ({
  metadata: { op, urn: JOB, type: "kubernetes:batch/v1:Job", old: null, new: { custom: true }, ...more },
});

describe("the CLI's events, told as the embedded engine's", () => {
  test("a step begins and ends under one number, with the paths that changed", () => {
    const detailedDiff = { "spec.template": { diffKind: "update-replace" }, spec: { diffKind: "update" } };
    tell({ resourcePreEvent: metadata("replace", { detailedDiff }) });
    tell({ resOutputsEvent: metadata("replace") });
    expect(told).toMatchObject([
      { step: 1, op: "replace", status: "started", type: "kubernetes:batch/v1:Job", name: "notes-migrate-1" },
      { step: 1, status: "succeeded", diffs: ["spec.template", "spec"], replaces: ["spec.template"] },
    ]);
  });

  test("a failed step carries its own error, and the run has it once", () => {
    tell({ resourcePreEvent: metadata("create") });
    tell({ diagnosticEvent: { urn: JOB, severity: "error", message: "the pod ended with 1\n", color: "never" } });
    tell({ resOpFailedEvent: metadata("create") });
    tell({ diagnosticEvent: { urn: "", severity: "error", message: "update failed\n", color: "never" } });
    expect(told.at(-1)).toMatchObject({ op: "create", status: "failed", error: "the pod ended with 1" });
    expect(events.told.errors).toEqual(["the pod ended with 1"]);
  });

  test("an error that belongs to no step is a diagnostic", () => {
    tell({ diagnosticEvent: { urn: JOB, severity: "error", message: "depends on what is no target", color: "never" } });
    expect(told).toEqual([
      { kind: "diagnostic", severity: "error", message: "depends on what is no target", urn: JOB },
    ]);
    expect(events.told.errors).toEqual(["depends on what is no target"]);
  });

  test("what is unchanged, the engine's own providers, and words to developers are no events", () => {
    tell({ resourcePreEvent: metadata("same") });
    tell({ resOutputsEvent: metadata("same") });
    const urn = "urn:pulumi:local::release::pulumi:providers:aws::default_7_48_0";
    tell({ resourcePreEvent: metadata("create", { urn, type: "pulumi:providers:aws" }) });
    tell({ diagnosticEvent: { severity: "debug", message: "Registering resource" } });
    tell({ diagnosticEvent: { severity: "warning", message: "using pulumi-resource-aws from $PATH at /x" } });
    expect(told).toEqual([]);
  });

  test("a refresh tells what it found", () => {
    tell({ resourcePreEvent: metadata("refresh", { old: { custom: true }, new: null }) });
    tell({ resOutputsEvent: metadata("delete", { old: { custom: true }, new: null }) });
    expect(told.at(-1)).toMatchObject({ op: "refresh", status: "succeeded", found: "delete" });
  });

  test("a deletion that leaves the thing alone is told as such", () => {
    tell({ resourcePreEvent: metadata("delete", { old: { custom: true, retainOnDelete: true }, new: null }) });
    expect(told.at(-1)).toMatchObject({ op: "delete", retained: true });
  });

  test("lines that are no events are passed on", () => {
    events.line("panic: something");
    expect(told).toEqual([{ kind: "diagnostic", severity: "info", message: "panic: something" }]);
  });
});
