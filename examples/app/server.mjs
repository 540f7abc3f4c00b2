import { createServer } from "node:http";
import { databaseUrl } from "./database-url.mjs";
import { Notes } from "./notes.mjs";
import { drainOnSignal } from "./shutdown.mjs";

const { PORT = "3000", APP_VERSION = "dev" } = process.env;
const url = databaseUrl(process.env);
if (!url) {
  console.error("DATABASE_URL is not set: the notes need a Postgres database.");
  process.exit(1);
}

const notes = new Notes(url);

const routes = {
  "GET /notes": async () => [200, { notes: await notes.list() }],
  "POST /notes": async (request) => {
    const note = parseNote(await readBody(request));
    return [201, { note: await notes.create(note) }];
  },
  "GET /health": async () => {
    try {
      return [200, { status: "ok", version: APP_VERSION, schemaVersion: await notes.schemaVersion() }];
    } catch (error) {
      return [503, { status: "no database", version: APP_VERSION, error: error.code ?? error.message }];
    }
  },
};

class BadRequest extends Error {}

async function answer(request) {
  const pathname = request.url.split("?", 1)[0];
  const route = routes[`${request.method} ${pathname}`];
  if (route === undefined) return [404, { error: `no ${request.method} ${pathname} here` }];
  try {
    return await route(request);
  } catch (error) {
    if (error instanceof BadRequest) return [400, { error: error.message }];
    console.error(`${request.method} ${pathname}: ${error.message}`);
    // An error from Postgres is the app's mistake. Without an answer the database is unavailable: the client may retry.
    return error.severity === "ERROR"
      ? [500, { error: "the note could not be read or written" }]
      : [503, { error: "the database is not available" }];
  }
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 65_536) throw new BadRequest("a note is at most 64 KiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseNote(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON; a note is {"subject": "…", "body": "…"}');
  }
  // "title" is the field's old name, which clients of the first versions send.
  const subject = value?.subject ?? value?.title;
  const body = value?.body ?? "";
  if (typeof subject !== "string" || subject.trim() === "" || typeof body !== "string") {
    throw new BadRequest('a note is {"subject": "…", "body": "…"}, and its subject is not empty');
  }
  return { subject, body };
}

async function respond(request, response) {
  const [status, body] = await answer(request);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

const server = createServer((request, response) => void respond(request, response));
// The timeout is longer than the idle timeout of load balancers (usually 60 s), so that this server never closes a
// connection on which a request is already on its way.
server.keepAliveTimeout = 75_000;
server.headersTimeout = 80_000;

server.on("error", (error) => {
  console.error(`can't listen on port ${PORT}: ${error.message}`);
  process.exit(1);
});

drainOnSignal(server, () => notes.close());

server.listen(Number(PORT), () => console.log(`notes ${APP_VERSION} listens on port ${server.address().port}`));
