import { Kubectl } from "../by-hand/kubectl";
import type { CommandStack } from "../by-hand/stack";
import { labels } from "../components/pods";
import { kubeconfigFile } from "../report/reader/kubectl";
import { type RestoreCheck, restoreCheckName } from "../report/restore-check";

/**
 * Keeps the result of a check in the cluster, where the next release finds it. If that fails, it is told: the check
 * itself is not worth less for that.
 */
export async function recordCheck(
  stack: CommandStack,
  check: RestoreCheck,
  say: (line: string) => void,
): Promise<void> {
  const { namespace, app } = stack.settings;
  const name = restoreCheckName(app.name);
  const given = kubeconfigFile(stack.kubeconfig);
  try {
    const kubectl = new Kubectl({ namespace, context: stack.context, kubeconfig: given.path });
    await kubectl.run(["delete", "configmaps", name, "--ignore-not-found", "--wait=false"]);
    const { backup, at, seconds, result, reason } = check;
    const data = { backup, at, seconds: String(seconds), result, ...(reason === undefined ? {} : { reason }) };
    const metadata = { name, namespace, labels: labels(app.name, "restore-check") };
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    await kubectl.run(["create", "--filename=-"], JSON.stringify(map));
  } catch (error) {
    say(`The result could not be kept for the next release's page: ${(error as Error).message}`);
  } finally {
    given.remove();
  }
}
