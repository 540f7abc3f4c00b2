import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { before } from "../test/review/corpus/before";
import { statements } from "../test/review/corpus/statements";
import { type Figure, median, table } from "./figure";

/** Median times of whole processes in milliseconds. The programs run by turns. */
export interface ReviewTimes {
  migrations: number;
  /** The commands as users type them: `npm run review`, which includes squawk, and `npx squawk` on the same files. */
  typed: Pair;
  /** The same two programs started without npm, which itself takes longer than either. */
  bare: Pair;
}

export interface Pair {
  ours: number;
  squawk: number;
}

const checkout = resolve(__dirname, "..");

/**
 * Measures the review of a whole history, and squawk alone on the same files.
 * @param folder the folder of Prisma migrations; default: one made from the corpus, with one statement per migration
 */
export async function benchReview(folder?: string, rounds = 11): Promise<ReviewTimes> {
  const history = folder ?? madeUp();
  try {
    const names = readdirSync(history).filter((name) => existsSync(join(history, name, "migration.sql")));
    const files = names.map((name) => join(history, name, "migration.sql"));
    const lint = ["--reporter", "json", ...files];
    const review = ["--migrations", history, "--since", names.sort()[0]!, "--format", "json"];
    const squawk = join(checkout, "node_modules/squawk-cli/js/bin/squawk");
    const sides = {
      typedOurs: () => timed("npm", ["run", "--silent", "review", "--", ...review], [0, 1, 2]),
      typedSquawk: () => timed("npx", ["squawk", ...lint], [0, 1]),
      bareOurs: () => timed(process.execPath, [join(checkout, "bin/start.cjs"), "review", ...review], [0, 1, 2]),
      bareSquawk: () => timed(process.execPath, [squawk, ...lint], [0, 1]),
    };
    // The first review after a change of the sources builds its bundle, so it is not measured.
    sides.bareOurs();
    const times: Record<keyof typeof sides, number[]> = {
      typedOurs: [],
      typedSquawk: [],
      bareOurs: [],
      bareSquawk: [],
    };
    for (let round = 0; round < rounds; round++)
      for (const side of Object.keys(sides) as (keyof typeof sides)[]) times[side].push(sides[side]());
    return {
      migrations: files.length,
      typed: { ours: median(times.typedOurs), squawk: median(times.typedSquawk) },
      bare: { ours: median(times.bareOurs), squawk: median(times.bareSquawk) },
    };
  } finally {
    if (folder === undefined) rmSync(history, { recursive: true });
  }
}

/** Both comparisons. The limit applies to the commands as users type them. */
export function reviewFigures({ migrations, typed, bare }: ReviewTimes): Figure[] {
  const note = ({ ours, squawk }: Pair) =>
    `${Math.round(ours)} ms to ${Math.round(squawk)} ms, ${migrations} migrations`;
  const figure = (name: string, pair: Pair, limit?: number): Figure => ({
    name,
    value: pair.ours / pair.squawk,
    unit: "times",
    limit,
    note: note(pair),
  });
  return [figure("npm run review, to npx squawk", typed, 1.5), figure("the same without npm in front", bare)];
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

if (require.main === module)
  benchReview(process.argv[2]).then(
    (times) => console.log(table(reviewFigures(times))),
    (error) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
