import { describe, expect, test } from "vitest";
import { commandsBehind, commandsOf } from "./message";

const UP = "npm run local -- up --state-dir '/tmp/a b' --config app.image=notes:1.2.0";

describe("the commands of a message", () => {
  test("stand behind their label, the last one counts", () => {
    const message = `i To go back: npm run local -- up --config app.image=notes:1.0.0\nOnce fixed, run: npm run local -- x\nOnce fixed, run: ${UP}\n`;
    expect(commandsBehind(message, "To go back")).toEqual(["npm run local -- up --config app.image=notes:1.0.0"]);
    expect(commandsBehind(message, "Once fixed, run")).toEqual([UP]);
  });

  test("of a failed Job come before the same command again", () => {
    const message = [
      "    Next: put it into a migration, then: npm run local -- ops resolve --applied NAME --stack local; or take it back; then: run the same command again",
      `Once fixed, run: ${UP}`,
    ].join("\n");
    expect(commandsOf(message, "Next")).toEqual(["npm run local -- ops resolve --applied NAME --stack local", UP]);
  });

  test("are none where the label is missing, or names none", () => {
    expect(commandsOf("up failed", "Next")).toEqual([]);
    expect(commandsBehind("Next: correct the file", "Next")).toEqual([]);
  });

  test("of `status` stand in its row", () => {
    expect(commandsBehind(`  last       up failed\n  next       ${UP}\n`, "next")).toEqual([UP]);
  });
});
