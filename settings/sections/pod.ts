import { z } from "zod";
import type { Group } from "../pod/fields";
import { podMistakes } from "../pod/mistakes";

/**
 * A fragment of a Kubernetes pod template, with `metadata` (labels and annotations) and `spec`. Its fields are checked
 * by Kubernetes' own API definitions.
 */
export const podFragment = z.record(z.string(), z.unknown()).superRefine((fragment: Group, context) => {
  for (const { path, allowed, known } of podMistakes(fragment))
    context.addIssue({ code: "custom", path, message: allowed, params: { known } });
});
