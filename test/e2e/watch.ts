import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { KUBECONFIG } from "./kubectl";

/** What the API server told of a Deployment at one moment. */
export interface Moment {
  /** `spec.replicas`. */
  wanted: number;
  available: number;
}

/** Records every change of a Deployment. */
export interface Watch {
  /** The fewest pods that were wanted, and that were available, since `begin`. */
  fewest(): Moment;
  stop(): Promise<void>;
}

/** Watches the Deployment from now on; returns when its state is known. */
export async function watchDeployment(namespace: string, name: string): Promise<Watch> {
  const columns = '{.spec.replicas} {.status.availableReplicas}{"\\n"}';
  const words = [
    "get",
    "deployments.apps",
    name,
    "--namespace",
    namespace,
    "--watch",
    "--output",
    `jsonpath=${columns}`,
  ];
  const child = spawn("kubectl", words, { env: { ...process.env, KUBECONFIG }, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const moments: Moment[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const [wanted, available = "0"] = line.trim().split(" ");
    moments.push({ wanted: Number(wanted), available: Number(available) });
  });
  const ended = exited.then(() => Promise.reject(new Error(`kubectl stopped watching Deployment ${name}`)));
  // It ends at stop, too.
  ended.catch(() => {});
  await Promise.race([once(lines, "line"), ended]);
  return {
    fewest: () => ({
      wanted: Math.min(...moments.map(({ wanted }) => wanted)),
      available: Math.min(...moments.map(({ available }) => available)),
    }),
    async stop() {
      child.kill();
      await exited;
    },
  };
}
