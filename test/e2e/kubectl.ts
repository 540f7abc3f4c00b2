import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const LIMIT_MS = 120_000;

/** Of whoever started the tests: while a release runs, the environment has that of the release's role. */
export const KUBECONFIG = process.env["KUBECONFIG"];

/** kubectl with the rights of whoever started the tests; `input` goes to its stdin. */
export async function kubectl(words: string[], input?: string): Promise<string> {
  const env = { ...process.env, KUBECONFIG };
  const running = run("kubectl", words, { env, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 });
  if (input !== undefined) running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Objects as the API server has them. */
export async function list(namespace: string, kind: string): Promise<any[]> {
  return JSON.parse(await kubectl(["get", kind, "--namespace", namespace, "--output", "json"])).items;
}

/** A kubeconfig that has the rights of a service account, and no others. */
export async function kubeconfigOf(namespace: string, account: string): Promise<string> {
  const token = (await kubectl(["create", "token", account, "--namespace", namespace, "--duration", "4h"])).trim();
  const current = JSON.parse(await kubectl(["config", "view", "--raw", "--minify", "--flatten", "--output", "json"]));
  return JSON.stringify({
    ...current,
    users: [{ name: account, user: { token } }],
    contexts: [{ name: account, context: { cluster: current.clusters[0].name, user: account, namespace } }],
    "current-context": account,
  });
}
