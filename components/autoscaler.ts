import type { AppSettings } from "../settings/schema";
import type { Manifest } from "./manifest";

type Autoscaling = NonNullable<AppSettings["autoscaling"]>;

/**
 * Returns the HorizontalPodAutoscaler of a Deployment. It scales by the use of one container, the one that the settings'
 * `resources` are for: measured over whole pods, a sidecar that requests nothing would stop all scaling
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#container-resource-metrics).
 *
 * @param metadata the Deployment's, which the autoscaler gets too
 */
export function autoscalerManifest(metadata: Manifest["metadata"], container: string, settings: Autoscaling) {
  const { min, max, cpuPercent, memoryPercent } = settings;
  const metric = (name: "cpu" | "memory", averageUtilization: number | undefined) =>
    averageUtilization === undefined
      ? []
      : [
          {
            type: "ContainerResource",
            containerResource: { name, container, target: { type: "Utilization", averageUtilization } },
          },
        ];
  return {
    apiVersion: "autoscaling/v2" as const,
    kind: "HorizontalPodAutoscaler" as const,
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: metadata.name },
      minReplicas: min,
      maxReplicas: max,
      metrics: [...metric("cpu", cpuPercent), ...metric("memory", memoryPercent)],
    },
  };
}
