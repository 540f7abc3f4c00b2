/**
 * `npm run bench [-- --only NAME] [--json] [--prisma] [--seconds 20]`: measures everything that the project sets itself
 * a limit for, and prints one table. The exit status is 1 when a limit is missed.
 */
import { parseArgs } from "node:util";
import { benchDrift } from "./drift";
import { type Figure, isOk, table } from "./figure";
import { benchMemory, benchStart, benchThousand } from "./migrator";
import { benchReview, reviewFigures } from "./review";
import { benchStall } from "./stall";

interface Options {
  readonly prisma: boolean;
  readonly seconds: number;
}

const BENCHES: Record<string, (options: Options) => Promise<Figure[]>> = {
  thousand: ({ prisma }) => benchThousand(prisma),
  start: benchStart,
  memory: benchMemory,
  drift: benchDrift,
  stall: ({ seconds }) => benchStall(seconds),
  review: async () => reviewFigures(await benchReview()),
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      prisma: { type: "boolean", default: false },
      seconds: { type: "string", default: "20" },
    },
  });
  const wrong = values.only?.filter((name) => BENCHES[name] === undefined) ?? [];
  const seconds = Number(values.seconds);
  if (wrong.length > 0 || !(seconds > 0)) {
    console.error(`--only is one of ${Object.keys(BENCHES).join(", ")}; --seconds a number above 0.`);
    return 2;
  }
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (values.only && !values.only.includes(name)) continue;
    if (!values.json) console.error(`${name} …`);
    figures.push(...(await bench({ prisma: values.prisma, seconds })));
  }
  if (values.json) console.log(JSON.stringify(figures.map((each) => ({ ...each, ok: isOk(each) }))));
  else console.log(table(figures));
  return figures.every(isOk) ? 0 : 1;
}

main().then(
  (exit) => {
    process.exitCode = exit;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
