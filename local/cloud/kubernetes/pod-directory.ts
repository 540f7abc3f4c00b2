import { join } from "node:path";
import { kubernetesDirectory } from "./store";

interface Named {
  name: string;
  namespace?: string | undefined;
}

/** The folder with the logs, the volumes and the process records of one pod. */
export function podDirectory(cloudDir: string, { name, namespace }: Named): string {
  return join(kubernetesDirectory(cloudDir), "pods", namespace ?? "default", name);
}

/** The folder with a pod's volumes that contain secrets; it is below the folder of the Secrets. */
export function secretMountsDirectory(cloudDir: string, { name, namespace }: Named): string {
  return join(kubernetesDirectory(cloudDir), "secrets", "_mounted", `${namespace ?? "default"}_${name}`);
}

export function containerLog(cloudDir: string, pod: Named, container: string): string {
  return join(podDirectory(cloudDir, pod), `${container}.log`);
}
