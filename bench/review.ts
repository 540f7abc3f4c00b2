import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before } from "../test/migrations/corpus/before";
import { statements } from "../test/migrations/corpus/statements";

/** Medians of whole processes, in milliseconds, taken by turns. */
export interface ReviewTimes {
  migrations: number;
  /** The review with squawk's findings in it, every file judged. */
  ours: number;
  /** squawk alone on the same files, started as npm installs it: by its wrapper, a Node program. */
  squawk: number;
  /** The program inside of the wrapper. */
  squawkBinary: number;
  /** `ours / squawk`; at most 1.5 is wanted. */
  ratio: number;
}

const checkout = resolve(__dirname, "..");

/**
 * The review of a whole history beside squawk alone on the same files. Both sides without npm in front (`npm run`, `npx`), which takes
 * longer than either.
 * @param folder of Prisma migrations; default: one that is made of the corpus, a statement a migration
 */
export async function benchReview(folder?: string, rounds = 15): Promise<ReviewTimes> {
  const history = folder ?? madeUp();
  try {
    const names = readdirSync(history).filter((name) => existsSync(join(history, name, "migration.sql")));
    const files = names.map((name) => join(history, name, "migration.sql"));
    const { getBinaryPath } = require("squawk-cli/js/index.js") as { getBinaryPath(): string };
    const lint = ["--reporter", "json", ...files];
    const review = ["--migrations", history, "--since", names.sort()[0]!, "--format", "json"];
    const sides: Record<"ours" | "squawk" | "squawkBinary", () => number> = {
      ours: () => timed(process.execPath, [join(checkout, "review/start.cjs"), ...review], [0, 1, 2]),
      squawk: () => timed(process.execPath, [join(checkout, "node_modules/squawk-cli/js/bin/squawk"), ...lint], [0, 1]),
      squawkBinary: () => timed(getBinaryPath(), lint, [0, 1]),
    };
    // The first review after a change of the sources makes its bundle; the second keeps what V8 compiled.
    sides.ours();
    sides.ours();
    const times = { ours: [] as number[], squawk: [] as number[], squawkBinary: [] as number[] };
    for (let round = 0; round < rounds; round++)
      for (const side of ["ours", "squawk", "squawkBinary"] as const) times[side].push(sides[side]());
    const [ours, squawk, squawkBinary] = [median(times.ours), median(times.squawk), median(times.squawkBinary)];
    return { migrations: files.length, ours, squawk, squawkBinary, ratio: ours / squawk };
  } finally {
    if (folder === undefined) rmSync(history, { recursive: true });
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

function timed(program: string, args: readonly string[], expected: readonly number[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd: checkout, maxBuffer: 1 << 30, encoding: "utf8" });
  const time = performance.now() - start;
  if (status === null || !expected.includes(status)) throw new Error(`${args[0]} ended with ${status}: ${stderr}`);
  return time;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (require.main === module)
  benchReview(process.argv[2]).then(
    ({ migrations, ours, squawk, squawkBinary, ratio }) => {
      const ms = (value: number) => `${value.toFixed(0).padStart(5)} ms`;
      console.log(`${migrations} migrations in ${process.argv[2] ?? "a history made of the corpus"}`);
      console.log(`the review, squawk included     ${ms(ours)}`);
      console.log(`squawk alone, as npm installs it ${ms(squawk)}, so ${ratio.toFixed(2)} times (limit 1.5)`);
      console.log(`squawk's binary alone            ${ms(squawkBinary)}`);
    },
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
