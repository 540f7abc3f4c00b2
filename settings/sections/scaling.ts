import { z } from "zod";
import { setting, whole } from "../types";

/** The most pods that a workload may have. */
const MOST_PODS = 1000;

/** The number of pods where neither a number nor an autoscaler is set. */
export const DEFAULT_REPLICAS = { app: 2, worker: 1 };

/**
 * The number of a workload's pods. There is no default in the schema, so that the rules can tell a number that was set
 * from one that was left out beside `autoscaling`.
 */
export const replicas = (about: { least: number; without: string; description: string; example: number }) => {
  const { least, ...documentation } = about;
  const allowed = `a whole number from ${least} to ${MOST_PODS}, or "external"`;
  return setting(z.union([count(least, allowed), z.literal("external")], { error: () => allowed }).optional(), {
    ...documentation,
    values: `${least} to ${MOST_PODS} pods, or \`external\``,
  });
};

/** A number of pods as one alternative of a union; the error names all alternatives. */
const count = (least: number, allowed: string) =>
  z
    .number({ error: () => allowed })
    .int(allowed)
    .min(least, allowed)
    .max(MOST_PODS, allowed);

/**
 * The utilization that an autoscaler aims at. It may be above 100, because a container may use more than it requests.
 */
const utilization = (resource: "CPU" | "memory", example: number) =>
  setting(whole(1, 1000, "percent").optional(), {
    description: `${resource} that the containers should use on average, in percent of what they request.`,
    example,
    without: `not scaled by ${resource}`,
  });

/**
 * The settings of a HorizontalPodAutoscaler that the release makes.
 *
 * @param owner the key of the workload, as the documentation names it
 */
export const autoscaling = (owner: string) =>
  z.strictObject({
    min: setting(whole(1, MOST_PODS, "pods").default(owner === "app" ? 2 : 1), {
      description: `Fewest pods. With \`${owner}.autoscaling\` there is a HorizontalPodAutoscaler, and a release leaves the number of pods to it.`,
      example: 3,
    }),
    max: setting(whole(1, MOST_PODS, "pods"), { description: "Most pods.", example: 10 }),
    cpuPercent: utilization("CPU", 70),
    memoryPercent: utilization("memory", 80),
  });

const POD_CHANGE = 'a number of pods from 0 to 1000, or a percentage from "0%" to "100%"';

/** A number of pods, or a percentage of all pods, as a Deployment's rolling update takes it. */
export const podChange = z
  .union([count(0, POD_CHANGE), z.string().regex(/^(\d{1,2}|100)%$/, POD_CHANGE)], { error: () => POD_CHANGE })
  .meta({ values: `0 to ${MOST_PODS} pods, or \`0%\` to \`100%\`` });
