import autocannon from "autocannon";

/** Requests to the app from before a release until after it, and what became of each. */
export interface Load {
  /** So far. A request that is under way is in neither number. */
  counts(): { answered: number; failed: number };
  /** The first few failures in words. */
  failures(): string[];
  /** 99th percentile of the answers' times in milliseconds, and the longest. */
  latency(): { p99: number; longest: number };
  stop(): Promise<void>;
}

export interface LoadOptions {
  url: string;
  /** Kept-alive connections. Default 10. */
  connections?: number;
  /** Requests a second. Default 300: what two cores carry beside a release. */
  rate?: number;
}

/** Reads, writes and health checks, as clients of the notes send them. */
export function startLoad({ url, connections = 10, rate = 300 }: LoadOptions): Load {
  let answered = 0;
  const failures: string[] = [];
  let failed = 0;
  const fail = (what: string) => {
    failed++;
    if (failures.length < 10) failures.push(`${new Date().toISOString()} ${what}`);
  };
  // By milliseconds; what is slower than the last place counts there.
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
 * autocannon by itself is blind to a request whose connection ends without an answer: it connects anew and sends the
 * next one; and it sends on a connection whose last answer said `Connection: close`. Both are set right here, so that
 * "0 failed" means it: a request that went out is answered, or counted as failed.
 */
function countLost(client: autocannon.Client, fail: (what: string) => void): void {
  const connect = client._connect;
  const send = client._doRequest;
  let waiting = 0;
  let closing = false;
  client._connect = function () {
    // Also after a time-out, which ends the connection.
    if (waiting > 0) fail("no answer: the connection ended, or 10 s went by");
    client.pipelinedRequests.clear();
    waiting = 0;
    closing = false;
    connect.call(this);
  };
  client._doRequest = function () {
    // The connection is about to end; `_connect` sends on the next one.
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
