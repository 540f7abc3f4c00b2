/** The waiting times of the node and its controllers. The default is real; tests of long waits use their own. */
export interface Timing {
  /** Returns the ms before the n-th retry (from 0) of a crashed container or a missing image. */
  backOff(attempt: number): number;
  /** The seconds of running after which a container that crashes starts from the first back-off again. */
  backOffResetSeconds: number;
  /** The ms before a missing Secret or ConfigMap is looked for again. */
  retryMilliseconds: number;
  /** The ms that a container without a readiness probe must run before it counts as ready. */
  noticeMilliseconds: number;
  /** Returns the ms before a Job creates a new pod after the n-th failure (from 0). */
  jobBackOff(attempt: number): number;
}

/** Back-offs start at 10 s and double up to 5 min, a Job's up to 6 min (kubelet, Job controller, Kubernetes 1.34). */
export const REAL_TIMING: Timing = {
  backOff: (attempt) => Math.min(10_000 * 2 ** attempt, 300_000),
  backOffResetSeconds: 600,
  retryMilliseconds: 500,
  noticeMilliseconds: 1_000,
  jobBackOff: (attempt) => Math.min(10_000 * 2 ** attempt, 360_000),
};
