import { openStore } from "../../../local/cloud/kubernetes/store";
import type { Observation } from "../observe";
import type { Story } from "../scenario";
import type { Stage } from "../stage";
import { FIRST_RELEASE, IMAGE_ONLY } from "./steps";

const reference = { group: "apps", kind: "Deployment", namespace: "default", name: "notes" };

/** Says what is wrong, unless the Deployment has this version and number of pods. */
const runs =
  (version: string, pods: number) =>
  ({ objects }: Observation): string | undefined => {
    const expected = `Deployment notes notes:${version}: ${pods} ready of ${pods}`;
    return objects.includes(expected) ? undefined : `not "${expected}": ${objects.join("; ")}`;
  };

async function scale(stage: Stage, replicas: number, manager?: string): Promise<void> {
  await stage.cloud("kubernetes.scale", { reference, replicas, ...(manager ? { manager } : {}) });
  await stage.cloud("kubernetes.awaitReady", { reference, timeoutSeconds: 60 });
}

async function setImage(stage: Stage, image: string): Promise<void> {
  const object = structuredClone(openStore(stage.cloudDir()).get(reference)!);
  object["spec"].template.spec.containers[0].image = image;
  await stage.cloud("kubernetes.apply", {
    object,
    mode: "update",
    by: { manager: "kubectl-set", operation: "Update" },
  });
  await stage.cloud("kubernetes.awaitReady", { reference, timeoutSeconds: 60 });
}

function autoscale(stage: Stage, max: string | undefined): void {
  stage.set("app.replicas", max === undefined ? "3" : "");
  stage.set("app.autoscaling.max", max);
  stage.set("app.autoscaling.cpuPercent", max === undefined ? undefined : "70");
}

export const scaling: Story = {
  name: "scaling and other people's changes",
  scenarios: [
    {
      name: "a release with 3 pods",
      before: (stage) => stage.set("app.replicas", "3"),
      command: { verb: "up" },
      ok: true,
      steps: FIRST_RELEASE,
      also: runs("1.0.0", 3),
    },
    {
      name: "somebody adds pods and sets an image: the same up keeps the pods and sets its own image",
      before: async (stage) => {
        await scale(stage, 5);
        await setImage(stage, "notes:1.2.0");
      },
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
      also: runs("1.0.0", 5),
    },
    { name: "once more: nothing to do", command: { verb: "up" }, ok: true, steps: [], also: runs("1.0.0", 5) },
    {
      name: "from a fixed number to an autoscaler",
      before: (stage) => autoscale(stage, "8"),
      command: { verb: "up" },
      ok: true,
      steps: ["create HorizontalPodAutoscaler", "update Deployment"],
      also: runs("1.0.0", 5),
    },
    {
      name: "the autoscaler adds a pod, and a new image comes",
      before: async (stage) => {
        await scale(stage, 6, "kube-controller-manager");
        stage.set("app.image", "notes:1.1.0");
      },
      command: { verb: "up" },
      ok: true,
      steps: IMAGE_ONLY,
      also: runs("1.1.0", 6),
    },
    {
      name: "back to a fixed number that is smaller",
      before: (stage) => autoscale(stage, undefined),
      command: { verb: "up" },
      ok: true,
      steps: ["delete HorizontalPodAutoscaler", "update Deployment"],
      also: runs("1.1.0", 6),
    },
    {
      name: "the number is scaled back by hand: it becomes the release's own again",
      before: (stage) => scale(stage, 3),
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
      also: runs("1.1.0", 3),
    },
    {
      name: "a number that is raised is applied",
      before: (stage) => stage.set("app.replicas", "4"),
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
      also: runs("1.1.0", 4),
    },
    {
      name: "a number that is lowered is applied where nobody else has set it",
      before: (stage) => stage.set("app.replicas", "2"),
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
      also: runs("1.1.0", 2),
    },
    {
      name: "a number that only the release has set is handed over as it is",
      before: (stage) => stage.set("app.replicas", "external"),
      command: { verb: "up" },
      ok: true,
      steps: ["update Deployment"],
      also: runs("1.1.0", 2),
    },
  ],
};
