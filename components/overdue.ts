import type { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Duration } from "../settings/units";

/** The seconds that Kubernetes needs at most to end a Job and its pod after the deadline. */
const MARGIN_SECONDS = 60;

/**
 * Prints a warning when a Job has not ended after its deadline. Kubernetes ends every Job at its deadline, so if Pulumi
 * still waits then, somebody has deleted the Job. Pulumi's Kubernetes provider doesn't notice a deletion. It waits
 * beyond any time-out, because every event of another Job in the namespace restarts its clock
 * (code: pulumi-kubernetes 4.34, provider/pkg/await/job.go). One interrupt ends that wait.
 *
 * @param begins An output that is known when everything that the Job depends on is done.
 */
export function warnWhenOverdue(job: Job, name: string, deadline: Duration, begins: pulumi.Output<unknown>): void {
  if (pulumi.runtime.isDryRun()) return;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  begins.apply(() => {
    if (ended) return;
    // pulumi.log can't be used here. It prints messages one after the other and holds back the review's message about
    // this Job, and all later ones, until the Job has a URN, which never happens here. console.warn prints at once.
    timer = setTimeout(() => console.warn(overdue(name, deadline)), milliseconds(deadline));
    // unref() allows the program to end while the timer is still running.
    timer.unref();
  });
  job.id.apply(() => {
    ended = true;
    clearTimeout(timer);
  });
}

/** The longest delay of a timer in Node.js, in milliseconds (24 days). */
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
