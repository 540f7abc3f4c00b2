/** The pace of the node and its controllers. Real by default; tests of long waits bring their own. */
export interface Timing {
  /** Milliseconds before a crashed container or a missing image is tried again, the n-th time (from 0). */
  backOff(attempt: number): number;
  /** A container that ran this long before it crashed starts from the first back-off again. */
  backOffResetSeconds: number;
  /** Milliseconds before a missing Secret or ConfigMap is looked for again. */
  retryMilliseconds: number;
  /** Milliseconds that a container without a readiness probe has to run before it counts as ready. */
  noticeMilliseconds: number;
  /** Milliseconds before a Job makes a new pod for one that failed, the n-th time (from 0). */
  jobBackOff(attempt: number): number;
}

/** 10 s, doubled each time, up to 5 min; a Job's up to 6 min (kubelet and Job controller of Kubernetes 1.34). */
export const REAL_TIMING: Timing = {
  backOff: (attempt) => Math.min(10_000 * 2 ** attempt, 300_000),
  backOffResetSeconds: 600,
  retryMilliseconds: 500,
  noticeMilliseconds: 1_000,
  jobBackOff: (attempt) => Math.min(10_000 * 2 ** attempt, 360_000),
};
