import { join } from "node:path";
import { kubernetesDirectory } from "./store";

interface Named {
  name: string;
  namespace?: string | undefined;
}

/** Logs, volumes and running processes of one pod. */
export function podDirectory(cloudDir: string, { name, namespace }: Named): string {
  return join(kubernetesDirectory(cloudDir), "pods", namespace ?? "default", name);
}

/** Volumes with secrets; a pod's own, below the Secrets' folder. */
export function secretMountsDirectory(cloudDir: string, { name, namespace }: Named): string {
  return join(kubernetesDirectory(cloudDir), "secrets", "_mounted", `${namespace ?? "default"}_${name}`);
}

export function containerLog(cloudDir: string, pod: Named, container: string): string {
  return join(podDirectory(cloudDir, pod), `${container}.log`);
}
