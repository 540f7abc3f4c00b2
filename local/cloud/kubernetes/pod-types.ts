import type { ObjectMeta } from "./object";

/** The parts of a pod's manifest and status that this cloud reads and writes (API of Kubernetes 1.34). */
export interface Pod {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  restartPolicy?: "Always" | "OnFailure" | "Never";
  terminationGracePeriodSeconds?: number;
  activeDeadlineSeconds?: number;
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  workingDir?: string;
  env?: EnvVar[];
  envFrom?: EnvFrom[];
  ports?: { name?: string; containerPort: number }[];
  volumeMounts?: VolumeMount[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: Handler };
  terminationMessagePath?: string;
  terminationMessagePolicy?: "File" | "FallbackToLogsOnError";
}

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: KeyRef; configMapKeyRef?: KeyRef; fieldRef?: { fieldPath: string } };
}

export interface KeyRef {
  name: string;
  key: string;
  optional?: boolean;
}

interface EnvFrom {
  prefix?: string;
  secretRef?: { name: string; optional?: boolean };
  configMapRef?: { name: string; optional?: boolean };
}

interface VolumeMount {
  name: string;
  mountPath: string;
  subPath?: string;
}

export interface VolumeItems {
  items?: { key: string; path: string }[];
  optional?: boolean;
}

export interface Volume {
  name: string;
  emptyDir?: object;
  secret?: VolumeItems & { secretName: string };
  configMap?: VolumeItems & { name: string };
  projected?: {
    sources: {
      secret?: VolumeItems & { name: string };
      configMap?: VolumeItems & { name: string };
      downwardAPI?: DownwardItems;
    }[];
  };
  downwardAPI?: DownwardItems;
}

export interface DownwardItems {
  items?: { path: string; fieldRef?: { fieldPath: string } }[];
}

export interface Handler {
  exec?: { command: string[] };
  httpGet?: { path?: string; port: number | string; scheme?: string; httpHeaders?: { name: string; value: string }[] };
  tcpSocket?: { port: number | string };
  sleep?: { seconds: number };
}

export interface Probe extends Handler {
  initialDelaySeconds?: number;
  periodSeconds?: number;
  timeoutSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
}

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string | undefined;
  lastUpdateTime?: string;
}

export interface PodStatus {
  phase: "Pending" | "Running" | "Succeeded" | "Failed";
  reason?: string;
  message?: string;
  conditions: Condition[];
  containerStatuses?: ContainerStatus[] | undefined;
  initContainerStatuses?: ContainerStatus[];
  podIP?: string;
  podIPs?: { ip: string }[];
  hostIP?: string;
  startTime?: string;
  qosClass?: string;
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
}

interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: Terminated;
}

interface Terminated {
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string | undefined;
  startedAt: string;
  finishedAt: string;
}

/** Sets a condition; the time of its last change moves only when its status changes. */
export function withCondition(conditions: Condition[], next: Condition, now: string): Condition[] {
  const previous = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = previous?.status === next.status ? previous.lastTransitionTime : now;
  const stamped = { ...next, lastTransitionTime };
  return previous
    ? conditions.map((condition) => (condition.type === next.type ? stamped : condition))
    : [...conditions, stamped];
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** The pod has ended for good: none of its containers will run again. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
