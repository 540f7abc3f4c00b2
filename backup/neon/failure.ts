import { NeonFailed, NeonKeyRefused, NeonNotReached, NeonProjectMissing, NeonRightMissing } from "../failures/branch";
import { NeonError, NeonUnreachable } from "./error";

/** Returns the failure that stands for an error of Neon's API; any other error as it is. */
export function neonFailure(error: unknown, project: string): unknown {
  if (error instanceof NeonUnreachable) return new NeonNotReached(error.endpoint, error.reason, error);
  if (!(error instanceof NeonError)) return error;
  const { status, reason } = error;
  if (status === 401) return new NeonKeyRefused(reason, error);
  if (status === 403) return new NeonRightMissing(project, reason, error);
  if (status === 404) return new NeonProjectMissing(project, reason, error);
  return new NeonFailed(error.message, error);
}
