import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readHistorySync } from "../../migrations/history";
import { loadParser, parseScript } from "../../migrations/parse";
import { reviewRelease } from "../../migrations/review";
import { before } from "../migrations/corpus/before";
import { statements } from "../migrations/corpus/statements";

/**
 * `npm run bench:review [-- FOLDER]`: the review of a whole history beside squawk alone on the same files, each a process of its own,
 * by turns; medians. Without a folder, of a history made of the corpus, one statement a migration.
 */
async function main(): Promise<void> {
  const given = process.argv[2];
  const folder = given ?? madeUp();
  try {
    const files = readdirSync(folder)
      .map((name) => join(folder, name, "migration.sql"))
      .filter((file) => existsSync(file));
    const checkout = resolve(__dirname, "../..");
    const squawk = [join(checkout, "node_modules/squawk-cli/js/bin/squawk"), "--reporter", "json", ...files];
    const first = readHistorySync(folder)[0]!.name;
    const review = [
      "--import",
      "tsx",
      join(checkout, "review/main.ts"),
      "--migrations",
      folder,
      "--since",
      first,
      "--format",
      "json",
    ];
    const times = { squawk: [] as number[], review: [] as number[] };
    for (let round = 0; round < 7; round++) {
      times.squawk.push(timed(squawk, checkout, [0, 1]));
      times.review.push(timed(review, checkout, [0, 1, 2]));
    }
    const [a, b] = [median(times.squawk), median(times.review)];
    await loadParser();
    const history = readHistorySync(folder);
    const judged = clock(() => reviewRelease({ history, applied: history.slice(0, 1) }));
    const parsed = clock(() =>
      history.forEach(({ sql }) => {
        for (const _ of parseScript(sql));
      }),
    );
    console.log(`${files.length} migrations in ${given ?? "a history made of the corpus"}`);
    console.log(`squawk alone            ${a.toFixed(0)} ms`);
    console.log(`npm run review, squawk included ${b.toFixed(0)} ms, ${(b / a).toFixed(1)} times`);
    console.log(
      `the judgement in a process that runs already ${judged.toFixed(0)} ms, of which Postgres' parser ${parsed.toFixed(0)} ms`,
    );
  } finally {
    if (given === undefined) rmSync(folder, { recursive: true });
  }
}

function madeUp(): string {
  const folder = mkdtempSync(join(tmpdir(), "bench-review-"));
  for (const [index, sql] of [before, ...statements.map(([text]) => `${text};`)].entries()) {
    const migration = join(folder, `${20240101000000 + index}_m`);
    mkdirSync(migration);
    writeFileSync(join(migration, "migration.sql"), sql);
  }
  return folder;
}

function timed(args: readonly string[], cwd: string, expected: readonly number[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, maxBuffer: 1 << 30, encoding: "utf8" });
  if (status === null || !expected.includes(status)) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

function clock(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return median(times);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
