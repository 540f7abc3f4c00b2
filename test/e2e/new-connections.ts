import { Agent, get } from "node:http";

/** Requests that each come on a connection of their own. */
export interface NewConnections {
  counts(): { answered: number; failed: number };
  /** The messages of the first 10 failures. */
  failures(): string[];
  stop(): Promise<void>;
}

/** No answer may take longer. */
const ANSWER_MS = 10_000;

/** Sends requests without keep-alive, as clients that see each change of a Service at once. */
export function startNewConnections(url: string, perSecond = 10): NewConnections {
  const failures: string[] = [];
  const counts = { answered: 0, failed: 0 };
  const open = new Set<Promise<void>>();
  const send = () => {
    const one = request(url).then(
      () => {
        counts.answered += 1;
      },
      (error: Error) => {
        counts.failed += 1;
        if (failures.length < 10) failures.push(`${new Date().toISOString()} ${error.message}`);
      },
    );
    open.add(one);
    void one.then(() => open.delete(one));
  };
  const timer = setInterval(send, 1000 / perSecond);
  return {
    counts: () => ({ ...counts }),
    failures: () => failures,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

function request(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent, timeout: ANSWER_MS }, (response) => {
      const { statusCode = 0 } = response;
      response.on("error", reject);
      response.on("end", () => (statusCode === 200 ? resolve() : reject(new Error(`HTTP status ${statusCode}`))));
      response.resume();
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    sent.on("error", reject);
  });
}
