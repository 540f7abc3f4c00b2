import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resourcesOf } from "../../../local/engines";
import { CheckpointLost, cliCheckpoint, readCheckpoint, restoreCheckpoint } from "../../../local/plugin/checkpoint";
import { readCliOutputs } from "../../../local/plugin/pulumi-cli";

/** The text of a checkpoint whose stack has one output, as the CLI's file backend writes it. */
const recorded = (image: string) =>
  JSON.stringify({
    version: 3,
    checkpoint: {
      latest: {
        resources: [
          {
            urn: "urn:pulumi:prod::release::pulumi:pulumi:Stack::release-prod",
            type: "pulumi:pulumi:Stack",
            custom: false,
            outputs: { image },
          },
          {
            urn: "urn:pulumi:prod::release::aws:rds/snapshot:Snapshot::s",
            type: "aws:rds/snapshot:Snapshot",
            custom: true,
          },
        ],
      },
    },
  });

let stateDir: string;
let file: string;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "release-checkpoint-"));
  file = cliCheckpoint(stateDir, "release", "prod");
});
afterEach(() => rmSync(stateDir, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const backup = (moment: number) => join(stateDir, ".pulumi/backups/release/prod", `prod.${moment}.json`);

describe("the CLI's record of a stack that a killed command left damaged", () => {
  test("a readable record is left alone", () => {
    write(file, recorded("notes:2"));
    write(`${file}.bak`, recorded("notes:1"));
    expect(restoreCheckpoint(stateDir, "release", "prod")).toBeUndefined();
    expect(readCliOutputs(stateDir, "release", "prod")).toEqual({ image: "notes:2" });
  });

  test.each([
    ["empty", ""],
    ["cut off", recorded("notes:2").slice(0, 60)],
    ["of another shape", "null"],
  ])(
    "an %s record is replaced by the copy that the CLI made before its last write, and the user is told",
    (_, text) => {
      write(file, text);
      write(`${file}.bak`, recorded("notes:1"));
      write(backup(1), recorded("notes:0"));
      expect(restoreCheckpoint(stateDir, "release", "prod")).toContain(`${file}.bak`);
      expect(readFileSync(file, "utf8")).toBe(recorded("notes:1"));
    },
  );

  test("where that copy is damaged too, the newest one of an earlier command counts", () => {
    write(file, "");
    write(`${file}.bak`, "");
    write(backup(1), recorded("notes:0"));
    write(backup(2), recorded("notes:1"));
    expect(restoreCheckpoint(stateDir, "release", "prod")).toContain("prod.2.json");
    expect(readFileSync(file, "utf8")).toBe(recorded("notes:1"));
  });

  test("what only looks at the stack reads the copy and writes nothing", () => {
    write(file, "");
    write(`${file}.bak`, recorded("notes:1"));
    expect(readCliOutputs(stateDir, "release", "prod")).toEqual({ image: "notes:1" });
    expect(resourcesOf({ stateDir, project: "release", name: "prod" })).toHaveLength(1);
    expect(readFileSync(file, "utf8")).toBe("");
  });

  test("a stack that the CLI never had is no error", () => {
    expect(readCheckpoint(stateDir, "release", "prod")).toBeUndefined();
    expect(restoreCheckpoint(stateDir, "release", "prod")).toBeUndefined();
  });

  test("without any readable copy the message names the file, the state of database and app, and what to do", () => {
    write(file, "");
    expect(() => restoreCheckpoint(stateDir, "release", "prod")).toThrow(CheckpointLost);
    expect(() => restoreCheckpoint(stateDir, "release", "prod")).toThrow(/damaged.*\nDatabase and app.*\nNext: /s);
  });
});
