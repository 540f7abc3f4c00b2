import type { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";

/** Longer than Kubernetes needs to end a Job at its deadline, its pod's last words included. */
const MARGIN_SECONDS = 60;

/**
 * Says it when a Job's end is overdue. Kubernetes ends every Job at its deadline, so one that is still waited for after
 * that was deleted by somebody, and Pulumi's Kubernetes provider notices no deletion: it waits on, beyond any time-out, as
 * every event of another Job in the namespace sets its clock back (code: pulumi-kubernetes 4.34, provider/pkg/await/job.go).
 * One interrupt ends that wait.
 *
 * @param begins known when everything that the Job depends on is done
 */
export function warnWhenOverdue(job: Job, name: string, deadline: Duration, begins: pulumi.Output<unknown>): void {
  if (pulumi.runtime.isDryRun()) return;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  begins.apply(() => {
    if (ended) return;
    // Not by pulumi.log: it tells one thing after the other, and what the review said of this Job it holds back until the
    // Job has its URN, which it never will. What a program writes is shown at once.
    timer = setTimeout(() => console.warn(overdue(name, deadline)), milliseconds(deadline));
    // The program ends with its resources, not with this.
    timer.unref();
  });
  job.id.apply(() => {
    ended = true;
    clearTimeout(timer);
  });
}

/** No timer of Node.js runs longer: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

function milliseconds(deadline: Duration): number {
  return Math.min(deadline.plus(MARGIN_SECONDS).seconds * 1000, LONGEST_TIMER);
}

function overdue(name: string, deadline: Duration): string {
  return (
    `Job ${name} should have ended: its deadline of ${deadline} passed ${MARGIN_SECONDS} s ago. Somebody probably deleted it, and Pulumi would wait ` +
    "for it without end. The app that was serving goes on serving; migrations that were finished stay applied. " +
    `See \`kubectl get job ${name}\`; if it is gone, press Ctrl-C once (in CI: cancel), then run the same \`up\` again.`
  );
}
