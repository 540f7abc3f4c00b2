import { Client, type DatabaseError, type QueryResult } from "pg";
import { counted } from "../../text/counted";
import { type Connection, findConnection } from "../cloud/aws/instance";
import { listInstances } from "../cloud/aws/records";
import { connect, running } from "../cloud/client";
import { environmentOf } from "../environment";
import { CommandError } from "../usage-error";
import { columns } from "./output";
import { type Call, typed, type Verb } from "./verb";

export const query: Verb = {
  name: "query",
  arguments: "<sql>",
  summary: "run SQL in the database, as the app's role; prints what it returns",
  use: "reads",
  options: [
    { flags: "--instance <name>", description: "another server, such as a restored snapshot" },
    { flags: "--admin", description: "as the migration's role, which may change the schema" },
  ],
  check: ({ arguments: [sql] }) => (sql?.trim() ? [] : ['query needs SQL, such as "SELECT * FROM notes"']),
  async run(call: Call): Promise<number> {
    const connection = await connectionOf(call);
    const sql = call.arguments[0]!;
    const client = new Client({
      connectionString: call.options.admin ? connection.adminUrl : connection.appUrl,
      connectionTimeoutMillis: 10_000,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const answer = (await client.query({ text: sql, rowMode: "array" })) as unknown as Rows | Rows[];
      for (const result of [answer].flat()) print(call, result);
      return 0;
    } catch (error) {
      throw new CommandError(explain(sql, error as DatabaseError, connection));
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

type Rows = QueryResult<unknown[]>;

async function connectionOf(call: Call): Promise<Connection> {
  const { cloudDir, options, stack } = call;
  const known = await listInstances(cloudDir);
  const wanted = options.instance?.toLowerCase() ?? environmentOf(stack)?.identifier;
  const found = known.find(({ identifier }) => identifier === wanted);
  if (!found) {
    const others = known.length > 0 ? ` There are ${known.map(({ identifier }) => identifier).join(", ")}.` : "";
    throw new CommandError(
      `There is no database ${wanted ?? "in the settings of this stack"} yet.${others} The first release makes it: ${typed(call, "up")}`,
    );
  }
  if (!(await running(cloudDir))) {
    throw new CommandError(
      `Database ${found.identifier} is stopped. Nothing was asked. To start it: ${typed(call, "up")}`,
    );
  }
  const { identifier, kind, database, schema } = found;
  if (found.status === "stopped") {
    // A restored server is not part of any release, so `up` does not start it again.
    return (await connect(cloudDir)).call("aws.ensureInstance", {
      identifier,
      kind,
      database,
      ...(schema === undefined ? {} : { schema }),
    });
  }
  const connection = findConnection(cloudDir, kind, identifier);
  if (!connection)
    throw new CommandError(`Database ${identifier} is ${found.status}. To finish it: ${typed(call, "up")}`);
  return connection;
}

function print({ output }: Call, { command, fields, rows, rowCount }: Rows): void {
  if (output.json) {
    for (const row of rows) output.event(Object.fromEntries(fields.map(({ name }, at) => [name, row[at] ?? null])));
    if (fields.length === 0) output.event({ command, rowCount });
  } else if (fields.length > 0) {
    const head = fields.map(({ name }) => output.style("bold", name));
    for (const line of columns([head, ...rows.map((row) => row.map(shown))])) output.line(line);
    output.line(output.style("dim", `(${counted(rows.length, "row")})`));
  } else output.line(rowCount === null ? command : `${command} ${rowCount}`);
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return `\\x${value.toString("hex")}`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replaceAll("\n", "⏎");
}

/** The message of Postgres, followed by the line of the SQL with a caret below the error's position. */
function explain(sql: string, error: DatabaseError, { identifier, host, port }: Connection): string {
  if (error.severity === undefined) {
    return `Database ${identifier} does not answer on ${host}:${port} (${error.message}). Nothing was changed.`;
  }
  const more = [error.detail && `DETAIL: ${error.detail}`, error.hint && `HINT: ${error.hint}`];
  return [`${error.severity}: ${error.message} (${error.code})`, place(sql, error.position), ...more]
    .filter((line) => line)
    .join("\n");
}

function place(sql: string, position: string | undefined): string | undefined {
  if (position === undefined) return undefined;
  // Postgres counts characters from 1; JavaScript strings count UTF-16 units from 0.
  const before = [...sql].slice(0, Number(position) - 1).join("");
  const start = before.lastIndexOf("\n") + 1;
  const line = sql.slice(start).split("\n")[0] ?? "";
  const label = `LINE ${before.split("\n").length}: `;
  return `${label}${line}\n${" ".repeat(label.length + before.length - start)}^`;
}
