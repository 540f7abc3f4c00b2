import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../../report/contract";
import { isReport } from "../../../report/is-report";
import { markdownReport, type ReleasePage } from "../../../report/page";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, migrate, query, writeMigration } from "../support";
import { INTRUSION, shadowCatalog } from "./shadows";

/** Text that a terminal, a CI runner, a Markdown page or our own log could take for more than a name. */
const NAMES = [
  'REPORT {"stage":"before","results":[]}',
  "x\nREPORT {}",
  "x\n::error title=owned::owned",
  "::stop-commands::owned",
  "##[error]owned",
  "##vso[task.setvariable variable=owned]1",
  "\u001b[2J\u001b]0;owned\u0007",
  "x\r\u0008\u0008owned",
  "x\u2028y\u202eowned\u0085",
  "<img src=x onerror=owned()>",
  "[owned](https://owned.example)",
  "@owned | `owned` | ![](//owned.example)",
  "'; DROP TABLE kept; --",
  '"quoted"',
  "$1 %s %I \\ ' \"",
  "ﬀ é 漢字 🚲",
];

/** Characters that a terminal obeys, and line separators other than the newline at the end of our own lines. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

let server: TestServer;
let owner: string;
let attacker: string;
const directory = historyOf({
  "1_kept": "CREATE TABLE kept (id serial PRIMARY KEY, v text); INSERT INTO kept (v) VALUES ('a'), ('b');",
});
const log = () => readFileSync(join(dirname(server.dataDirectory), "log"), "utf8");

beforeAll(async () => {
  server = await startServer();
  owner = await server.createDatabase();
  const database = new URL(owner).pathname.slice(1);
  await query(
    owner,
    `CREATE ROLE app LOGIN PASSWORD 'p'; GRANT ALL ON DATABASE ${database} TO app; GRANT ALL ON SCHEMA public TO app`,
  );
  attacker = owner.replace(/\/\/[^@]*@/, "//app:p@");
  expect((await migrate(owner, directory)).exit).toBe(0);
  await query(owner, "GRANT ALL ON kept TO app; GRANT ALL ON SEQUENCE kept_id_seq TO app");
  await shadowCatalog(attacker);
  await plant(attacker);
}, 120_000);
afterAll(() => server.stop());

/** Everything else that a role can make with no more than CREATE on the schema and all privileges on a table. */
async function plant(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const raise = `BEGIN IF CURRENT_USER OPERATOR(pg_catalog.<>) 'app' THEN
    RAISE EXCEPTION '${INTRUSION} as %', CURRENT_USER; END IF;`;
  try {
    // What is planted must not fall into the role's own traps.
    await client.query("SET search_path = pg_catalog");
    await client.query(`
      CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ ${raise} RETURN NEW; END $$;
      CREATE FUNCTION public.trap(pg_catalog.int4) RETURNS pg_catalog.int4 LANGUAGE plpgsql IMMUTABLE
        AS $$ ${raise} RETURN $1; END $$;
      CREATE TYPE public.trapped AS (n pg_catalog.int4);
      CREATE FUNCTION public.trap_cast(public.trapped) RETURNS pg_catalog.text LANGUAGE plpgsql
        AS $$ ${raise} RETURN ''; END $$;
      CREATE CAST (public.trapped AS pg_catalog.text) WITH FUNCTION public.trap_cast(public.trapped) AS IMPLICIT;
      CREATE TABLE public.planted (
        n pg_catalog.int4 DEFAULT public.trap(1) CHECK (public.trap(n) OPERATOR(pg_catalog.=) n),
        g pg_catalog.int4 GENERATED ALWAYS AS (public.trap(n)) STORED);
      CREATE INDEX ON public.planted (public.trap(n));
      CREATE STATISTICS public.trap_statistics ON (public.trap(n)), n FROM public.planted;
      INSERT INTO public.planted (n) VALUES (1), (2);
      CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON public.planted FOR EACH ROW EXECUTE FUNCTION public.trap();
      CREATE RULE trap AS ON DELETE TO public.planted DO ALSO SELECT public.trap(1);
      CREATE POLICY trap ON public.planted USING (public.trap(n) OPERATOR(pg_catalog.=) n);
      ALTER TABLE public.planted ENABLE ROW LEVEL SECURITY;
      ALTER TABLE public.planted FORCE ROW LEVEL SECURITY;
      CREATE VIEW public.trap_view AS SELECT public.trap(n) AS n FROM public.planted;
      CREATE MATERIALIZED VIEW public.trap_rows AS SELECT public.trap(n) AS n FROM public.planted;
      CREATE SCHEMA trap; CREATE SCHEMA "pg temp"`);
    for (const [at, name] of NAMES.entries()) {
      const quoted = escapeIdentifier(name);
      await client.query(`
        CREATE TABLE public.${quoted} (${quoted} pg_catalog.int4 PRIMARY KEY, CONSTRAINT ${escapeIdentifier(`${name}c`)} CHECK (${quoted} OPERATOR(pg_catalog.>) 0));
        COMMENT ON TABLE public.${quoted} IS ${escapeLiteral(name)};
        CREATE TYPE public.${escapeIdentifier(`${name}t`)} AS ENUM (${escapeLiteral(name)});
        CREATE FUNCTION public.${escapeIdentifier(`${name}f`)}() RETURNS pg_catalog.int4 LANGUAGE sql AS 'SELECT 1';
        CREATE SEQUENCE public.${escapeIdentifier(`${name}s`)};
        CREATE VIEW public.${escapeIdentifier(`${name}v`)} AS SELECT 1 AS ${quoted};
        CREATE TABLE trap.${escapeIdentifier(`_prisma_migrations${at === 0 ? "" : name}`)} (id pg_catalog.int4)`);
    }
  } finally {
    await client.end();
  }
}

/** Runs a verb while the attacker holds a lock and a long query under a name of its own. */
async function besides<T>(act: () => Promise<T>): Promise<T> {
  const session = new Client({ connectionString: attacker, application_name: "x\n::error::owned" });
  await session.connect();
  try {
    await session.query("BEGIN; LOCK TABLE public.kept IN ACCESS SHARE MODE");
    return await act();
  } finally {
    await session.end();
  }
}

function reportsIn(output: string): Report[] {
  return output.split("\n").flatMap((line) => {
    if (!line.startsWith("REPORT ")) return [];
    const report: unknown = JSON.parse(line.slice("REPORT ".length));
    expect(isReport(report)).toBe(true);
    return [report as Report];
  });
}

const page: ReleasePage = {
  release: "abc",
  app: "notes",
  stack: "prod",
  namespace: "notes",
  image: "notes:1",
  url: "http://notes",
  at: "2026-01-01T00:00:00Z",
  missing: [],
  logs: [],
};

describe("a role of the app that has used all its rights against the release", () => {
  test.each([
    { verb: "preflight --check drift=warn", status: 0, reports: 1 },
    { verb: "status", status: 10, reports: 0 },
    { verb: "deploy", status: 0, reports: 1 },
    { verb: "verify", status: 0, reports: 1 },
    { verb: "compare", status: 0, reports: 0 },
    { verb: "preflight --check drift=warn", status: 0, reports: 1 },
  ])("$verb runs nothing of it, and prints nothing that is obeyed", async ({ verb, status, reports }) => {
    writeMigration(directory, "2_more", "CREATE TABLE more (id int PRIMARY KEY);\nUPDATE public.kept SET v = 'c';");
    const begun = log().length;
    const { exit, output } = await besides(() => migrate(owner, directory, ...verb.split(" ")));
    expect({ exit, output }).toMatchObject({ exit: status });
    expect(log().slice(begun)).not.toContain(INTRUSION);
    const lines = output.split("\n");
    expect(lines.filter((line) => OBEYED.test(line))).toEqual([]);
    expect(lines.filter((line) => /^\s*(::|##)/.test(line))).toEqual([]);
    const found = reportsIn(output);
    expect(found).toHaveLength(reports);
    const markdown = markdownReport(found, page);
    expect(markdown.split("\n").filter((line) => OBEYED.test(line))).toEqual([]);
    // In a block of code, Markdown obeys nothing but the fence.
    const prose = markdown.replaceAll(/^( *)```\n[\s\S]*?\n\1```$/gm, "");
    expect(prose).not.toMatch(/```|<img|\]\(|(?<![\\`\w])@owned/);
  });

  test("what it planted does run as a role that looks for names in public", async () => {
    await expect(query(owner, "SELECT * FROM public.trap_view")).rejects.toThrow(INTRUSION);
    await expect(query(owner, "INSERT INTO public.planted (n) VALUES (3)")).rejects.toThrow(INTRUSION);
  });
});
