import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { DiagnosticEvent, StepEvent } from "../../local/engine/events";
import { jsonProgress } from "../../local/progress-json";
import { lineProgress } from "../../local/progress-lines";
import { liveProgress } from "../../local/progress-live";
import { seconds, wordsOf } from "../../local/progress-text";

const AT = Date.parse("2026-03-01T12:00:00.000Z");

function step(change: Partial<StepEvent> = {}): StepEvent {
  const name = change.name ?? "notes-db-1";
  return {
    kind: "step",
    step: 1,
    type: "aws:rds/snapshot:Snapshot",
    name,
    urn: `urn:pulumi:local::release::aws:rds/snapshot:Snapshot::${name}`,
    op: "create",
    status: "started",
    startedAt: new Date(AT).toISOString(),
    ...change,
  };
}
const ended = (change: Partial<StepEvent> = {}) =>
  step({ status: "succeeded", endedAt: new Date(AT + 3_140).toISOString(), ...change });

/** A terminal of a size, and what it was sent. */
function terminal(columns = 80, rows = 24) {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  Object.assign(stream, { isTTY: true, columns, rows });
  let sent = "";
  stream.on("data", (chunk) => {
    sent += chunk;
  });
  return { stream, sent: () => sent };
}

/** What stands on a screen after the sequences that the progress uses: up by lines, erase below, cursor off and on. */
function screen(sent: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the terminal's own.
  for (const part of sent.split(/(\x1b\[[?\d]*[A-Za-z]|\n)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    const up = /^\x1b\[(\d+)A$/.exec(part);
    if (up) row -= Number(up[1]);
    else if (part === "\x1b[0J") lines.splice(row, lines.length, "");
    else if (part === "\n") {
      row++;
      if (lines[row] === undefined) lines[row] = "";
    } else lines[row] += stripVTControlCharacters(part);
  }
  return lines;
}

describe("progress as plain lines", () => {
  test("what a server or program said reaches neither the terminal nor a CI runner as a command", () => {
    const { stream, sent } = terminal();
    const evil = "said\n::stop-commands::x\n  ##vso[task.x]y\u001b[2J\u009b2J";
    lineProgress(stream).event(ended({ status: "failed", error: evil, name: "a\n::error::b" }));
    lineProgress(stream).event({ kind: "diagnostic", severity: "warning", message: evil });
    jsonProgress(stream).event({ kind: "diagnostic", severity: "warning", message: evil });
    expect(sent()).toContain("stop-commands");
    expect(sent()).not.toMatch(/^\s*::|##vso/m);
    for (const control of ["\u001b[2J", "\u009b2J"]) expect(sent()).not.toContain(control);
  });

  test("says when a step starts and when it ends, with its time", () => {
    const { stream, sent } = terminal();
    vi.stubEnv("NO_COLOR", "1");
    const progress = lineProgress(stream);
    progress.event(step());
    progress.event(ended());
    progress.event(step({ step: 2, op: "delete", retained: true }));
    progress.event(ended({ step: 2, op: "delete", retained: true }));
    expect(sent().split("\n")).toEqual([
      "  + Snapshot             notes-db-1  creating …",
      "✓ + Snapshot             notes-db-1  created  3.1s",
      "  ○ Snapshot             notes-db-1  removing from state, snapshot kept …",
      "✓ ○ Snapshot             notes-db-1  removed from state, snapshot kept  3.1s",
      "",
    ]);
  });

  test("tells a failure once, with its whole text", () => {
    const { stream, sent } = terminal();
    vi.stubEnv("NO_COLOR", "1");
    const progress = lineProgress(stream);
    const failed = ended({ status: "failed", error: "no space\n\nleft" });
    const diagnostic: DiagnosticEvent = { kind: "diagnostic", severity: "error", message: "no space", urn: failed.urn };
    progress.event(failed);
    progress.event(diagnostic);
    progress.event({ kind: "diagnostic", severity: "warning", message: "first\nsecond" });
    expect(sent()).toBe(
      "✗ + Snapshot             notes-db-1  failed  3.1s\n    no space\n\n    left\n! first\n  second\n",
    );
  });
});

describe("progress on a terminal", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: AT });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });

  test("redraws what runs with its time, and lets what is done scroll up", () => {
    const { stream, sent } = terminal();
    const progress = liveProgress(stream);
    progress.event(step());
    progress.event(step({ step: 2, name: "other" }));
    vi.advanceTimersByTime(2_000);
    expect(screen(sent())).toEqual([
      expect.stringMatching(/^. \+ Snapshot {13}notes-db-1 {2}creating {2}2\.0s$/),
      expect.stringMatching(/^. \+ Snapshot {13}other {2}creating {2}2\.0s$/),
      "",
    ]);
    progress.event(ended());
    expect(screen(sent())).toEqual([
      "✓ + Snapshot             notes-db-1  created  3.1s",
      expect.stringMatching(/^. \+ Snapshot {13}other {2}creating {2}2\.0s$/),
      "",
    ]);
    progress.event(ended({ step: 2, name: "other" }));
    progress.note("a word between");
    progress.end();
    expect(screen(sent())).toEqual([
      "✓ + Snapshot             notes-db-1  created  3.1s",
      "✓ + Snapshot             other  created  3.1s",
      "a word between",
      "",
    ]);
    expect(sent().endsWith("\x1b[?25h") || sent().lastIndexOf("\x1b[?25h") > sent().lastIndexOf("\x1b[?25l")).toBe(
      true,
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  test("never draws a line that would wrap, nor more lines than the screen has", () => {
    const { stream, sent } = terminal(40, 6);
    const progress = liveProgress(stream);
    for (let n = 1; n <= 12; n++) progress.event(step({ step: n, name: `a-name-that-is-too-long-for-it-${n}` }));
    vi.advanceTimersByTime(1_000);
    const lines = screen(sent());
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line.length).toBeLessThan(40);
    progress.end();
    expect(screen(sent())).toEqual([""]);
  });
});

describe("progress for programs", () => {
  test("is one JSON object a line, with everything the engine told", () => {
    const { stream, sent } = terminal();
    const progress = jsonProgress(stream);
    progress.event(step());
    progress.event(ended({ status: "failed", error: "no\nspace" }));
    progress.note("a word");
    progress.end();
    const events = sent()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).toEqual([
      step(),
      ended({ status: "failed", error: "no\nspace" }),
      { kind: "diagnostic", severity: "info", message: "a word" },
    ]);
  });
});

test.each([
  [0, "0.0s"],
  [949, "0.9s"],
  [59_940, "59.9s"],
  [59_960, "1m00s"],
  [61_000, "1m01s"],
  [3_599_600, "1h00m"],
  [7_380_000, "2h03m"],
])("%d ms are written %s", (milliseconds, text) => {
  expect(seconds(milliseconds)).toBe(text);
});

test("a snapshot that is there already is taken over", () => {
  expect(wordsOf({ op: "import" })).toMatchObject({ sign: "=", doing: "taking over", done: "taken over" });
});
