import type { NeonEndpoint, NewEndpoint } from "../../backup/neon/answers";
import type { Difference } from "../target";

/** The fields of a compute that are its own: its identity, its state, and when things happened to it. */
const OWN = new Set([
  ...["id", "host", "name", "branch_id", "proxy_host", "current_state", "pending_state", "creation_source"],
  ...["created_at", "updated_at", "started_at", "suspended_at", "last_active", "compute_release_version"],
]);

/**
 * Returns the compute that a copy gets: with the size, the time until it is suspended and the settings of the source's.
 * @param source undefined if the source has none; the copy then gets Neon's defaults
 */
export function computeLike(source: NeonEndpoint | undefined): NewEndpoint {
  const { autoscaling_limit_min_cu, autoscaling_limit_max_cu, suspend_timeout_seconds, settings } = source ?? {};
  return {
    type: "read_write",
    ...(autoscaling_limit_min_cu === undefined ? {} : { autoscaling_limit_min_cu }),
    ...(autoscaling_limit_max_cu === undefined ? {} : { autoscaling_limit_max_cu }),
    // 0 is the default of the plan, which not every plan may set.
    ...(suspend_timeout_seconds ? { suspend_timeout_seconds } : {}),
    ...(settings === undefined ? {} : { settings }),
  };
}

/** Returns every field in which the computes of a copy and of its source differ. */
export function computeDifferences(source: NeonEndpoint, copy: NeonEndpoint): Difference[] {
  const names = [...new Set([...Object.keys(source), ...Object.keys(copy)])].filter((name) => !OWN.has(name)).sort();
  return names.flatMap((name) => {
    const [of, has] = [shown(source[name]), shown(copy[name])];
    return of === has ? [] : [{ parameter: `endpoint.${name}`, source: of, copy: has }];
  });
}

function shown(value: unknown): string {
  if (value === undefined) return "—";
  return typeof value === "string" ? value : JSON.stringify(value);
}
