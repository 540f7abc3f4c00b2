import autocannon from "autocannon";

/** A load of requests to the app, from before a release until after it, with their results. */
export interface Load {
  /** Returns the numbers so far. A request under way is in neither number. */
  counts(): { answered: number; failed: number };
  /** Returns the messages of the first 10 failures. */
  failures(): string[];
  /** Returns the 99th percentile and the maximum of the response times in milliseconds. */
  latency(): { p99: number; longest: number };
  stop(): Promise<void>;
}

export interface LoadOptions {
  url: string;
  /** The number of kept-alive connections; default: 10. */
  connections?: number;
  /** The requests per second; default: 300, which two cores can serve during a release. */
  rate?: number;
}

/** Sends reads, writes and health checks, like clients of the notes app. */
export function startLoad({ url, connections = 10, rate = 300 }: LoadOptions): Load {
  let answered = 0;
  const failures: string[] = [];
  let failed = 0;
  const fail = (what: string) => {
    failed++;
    if (failures.length < 10) failures.push(`${new Date().toISOString()} ${what}`);
  };
  // The index is the time in milliseconds; slower responses are counted at the last index.
  const times: number[] = Array(10_001).fill(0);
  let longest = 0;

  let ended: () => void;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const instance = autocannon(
    {
      url,
      connections,
      overallRate: rate,
      duration: 24 * 3600,
      timeout: 10,
      requests: REQUESTS.map((request) => ({
        ...request,
        onResponse(status, body) {
          if (status < 200 || status > 299)
            fail(`${request.method} ${request.path}: HTTP status ${status} ${body.trim().slice(0, 200)}`);
        },
      })),
      setupClient: (client) => countLost(client, fail),
    },
    () => ended(),
  );
  instance.on("response", (_client, _status, _bytes, milliseconds) => {
    answered++;
    const place = Math.min(times.length - 1, Math.round(milliseconds));
    times[place] = times[place]! + 1;
    longest = Math.max(longest, Math.round(milliseconds));
  });

  return {
    counts: () => ({ answered, failed }),
    failures: () => failures,
    latency: () => ({ p99: percentile(times, 0.99), longest }),
    async stop() {
      instance.stop();
      await end;
    },
  };
}

const NOTE = JSON.stringify({ subject: "from the load generator", body: "written while a release is under way" });
const REQUESTS = [
  { method: "GET", path: "/notes" },
  { method: "POST", path: "/notes", headers: { "content-type": "application/json" }, body: NOTE },
  { method: "GET", path: "/notes" },
  { method: "GET", path: "/health" },
];

/**
 * Counts lost requests as failed. By itself autocannon ignores a request whose connection ends without a response: it
 * reconnects and sends the next one. It also sends on a connection whose last response had `Connection: close`. Both
 * are corrected here, so that with "0 failed" every request that was sent was answered.
 */
function countLost(client: autocannon.Client, fail: (what: string) => void): void {
  const connect = client._connect;
  const send = client._doRequest;
  let waiting = 0;
  let closing = false;
  client._connect = function () {
    // autocannon also reconnects after a timeout, which ends the connection.
    if (waiting > 0) fail("no answer: the connection ended, or 10 s went by");
    client.pipelinedRequests.clear();
    waiting = 0;
    closing = false;
    connect.call(this);
  };
  client._doRequest = function () {
    // The connection is about to end, so `_connect` sends on the next one.
    if (!closing) send.call(this);
  };
  client.on("request", () => waiting++);
  client.on("response", () => {
    waiting = 0;
  });
  client.on("headers", ({ headers }) => {
    const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "connection");
    closing = at >= 0 && headers[at + 1]?.toLowerCase() === "close";
  });
}

function percentile(times: number[], part: number): number {
  const total = times.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  return times.findIndex((count) => {
    seen += count;
    return seen >= total * part;
  });
}
