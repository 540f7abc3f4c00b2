import type { LiveObject } from "../live-objects";

// This module contains the parts of live objects that an adoption looks at.

/** A container of a live Deployment. */
export interface LiveContainer {
  name: string;
  image: string;
  ports?: { name?: string; containerPort: number }[];
  lifecycle?: { preStop?: object };
}

/** The specification of a live Deployment. */
export interface LiveDeploymentSpec {
  paused?: boolean;
  selector: { matchLabels?: Record<string, string>; matchExpressions?: object[] };
  template: {
    metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    spec: { containers: LiveContainer[] };
  };
}

/** A port of a live Service. */
export interface LivePort {
  name?: string;
  port: number;
  protocol?: string;
  targetPort?: number | string;
  nodePort?: number;
}

/** The specification of a live Service. */
export interface LiveServiceSpec {
  type?: string;
  selector?: Record<string, string>;
  ports?: LivePort[];
}

/** Returns the specification of a Deployment as the API server returned it. */
export function deploymentSpec(live: LiveObject): LiveDeploymentSpec {
  return live["spec"] as object as LiveDeploymentSpec;
}

/** Returns the specification of a Service as the API server returned it. */
export function serviceSpec(live: LiveObject): LiveServiceSpec {
  return live["spec"] as object as LiveServiceSpec;
}

/** Returns the labels of a Deployment's pods. */
export function podLabels(live: LiveObject): Record<string, string> {
  return deploymentSpec(live).template.metadata?.labels ?? {};
}
