import fc from "fast-check";
import { expect, test } from "vitest";
import { liveReplicas, type PodNumber, replicasPlan } from "../../components/replicas";

const THREE: PodNumber = { replicas: 3 };
const EXTERNAL: PodNumber = { replicas: "external" };
const HPA: PodNumber = { autoscaling: { min: 2, max: 9, cpuPercent: 70 } };

test.each<[what: string, pods: PodNumber, live: [count: number, own: boolean] | undefined, plan: object]>([
  ["a new Deployment gets the number of the settings", THREE, undefined, { set: 3 }],
  ["without a number the app gets 2", {}, undefined, { set: 2 }],
  ["a raised setting is applied", THREE, [2, true], { set: 3 }],
  ["a lowered setting is applied", THREE, [5, true], { set: 3 }],
  ["a number that is right is left alone, so that a later change of it is kept", THREE, [3, true], { keep: true }],
  ["pods that somebody removed are added again", THREE, [1, false], { set: 3 }],
  ["an app that was scaled to nothing starts again", THREE, [0, false], { set: 3 }],
  ["pods that somebody added are kept", THREE, [5, false], { keep: true, than: 3 }],
  ["a number that somebody set back becomes the release's own again", THREE, [3, false], { set: 3 }],
  ["an external number is kept, whoever set it", EXTERNAL, [5, true], { keep: true }],
  ["an external number of 0 is kept", EXTERNAL, [0, false], { keep: true }],
  ["an autoscaler's number is kept, also below its least", HPA, [1, false], { keep: true }],
  ["an autoscaler can't scale from 0, so its least is set", HPA, [0, false], { set: 2 }],
])("%s", (_, pods, live, plan) => {
  expect(replicasPlan(pods, "app", live && { count: live[0], own: live[1] })).toEqual(plan);
});

test("no plan sets a number below one that somebody else has set", () => {
  const pods = fc.oneof(
    fc.integer({ min: 1, max: 20 }).map((replicas): PodNumber => ({ replicas })),
    fc.constantFrom(EXTERNAL, HPA, {}),
  );
  fc.assert(
    fc.property(pods, fc.constantFrom("app" as const, "worker" as const), fc.nat(30), (settings, owner, count) => {
      const plan = replicasPlan(settings, owner, { count, own: false });
      return "keep" in plan || plan.set >= count;
    }),
  );
});

test("the number is Pulumi's own as long as Pulumi is among those who set it", () => {
  const fieldsV1 = { "f:spec": { "f:replicas": {} } };
  const pulumi = { manager: "pulumi-kubernetes-ab12cd34", operation: "Apply" as const, fieldsV1 };
  const scale = { manager: "kubectl", operation: "Update" as const, subresource: "scale", fieldsV1 };
  expect(liveReplicas({ replicas: 5 }, [pulumi, scale])).toEqual({ count: 5, own: true });
  expect(liveReplicas({ replicas: 5 }, [{ ...pulumi, fieldsV1: { "f:spec": {} } }, scale])).toEqual({
    count: 5,
    own: false,
  });
  expect(liveReplicas({ ports: [] }, [pulumi])).toBeUndefined();
});
