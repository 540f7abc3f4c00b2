#!/usr/bin/env node
// A kubectl whose answers a test writes beforehand: FAKE_KUBECTL is a folder with answers.json, a list of
// `{when, out, err, status, times}`. The first entry whose words are all in the command answers, `times` times if that is
// given. Each call is written to calls.jsonl, with what came on its standard input.
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const folder = process.env.FAKE_KUBECTL;
const words = process.argv.slice(2);
const input = words.includes("--filename=-") ? readFileSync(0, "utf8") : "";
appendFileSync(join(folder, "calls.jsonl"), `${JSON.stringify({ words, input })}\n`);
const answers = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8"));
const found = answers.findIndex(({ when, times, after }, index) => {
  if (after && !existsSync(join(folder, after))) return false;
  const used = Number(
    existsSync(join(folder, `used-${index}`)) ? readFileSync(join(folder, `used-${index}`), "utf8") : 0,
  );
  if (!when.every((word) => words.join(" ").includes(word)) || used >= (times ?? Infinity)) return false;
  writeFileSync(join(folder, `used-${index}`), String(used + 1));
  return true;
});
const {
  out = "",
  err = "",
  status = 0,
  marks,
  hold,
} = answers[found] ?? { err: `no answer to: ${words.join(" ")}`, status: 1 };
if (marks) writeFileSync(join(folder, marks), "");
process.stdout.write(typeof out === "string" ? out : JSON.stringify(out));
process.stderr.write(err);
process.exitCode = status;
if (hold) {
  const end = setInterval(() => existsSync(join(folder, hold)) && clearInterval(end), 20);
}
