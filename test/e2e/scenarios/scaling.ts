import assert from "node:assert/strict";
import { startLoad } from "../../../local/demo/load";
import { address, serves, succeeded, until } from "../expect";
import { kubectl, list } from "../kubectl";
import { following, image, type Scenario, VERSIONS } from "../scenario";
import { watchDeployment } from "../watch";
import type { Release, World } from "../world";

const DEPLOYMENT = "deployments.apps/notes";

/** Somebody, or an autoscaler, changes what the release has set, and the next release comes. */
export const scaling: Scenario[] = [
  {
    name: "scaled by hand, with a fixed number: the release keeps the added pods and says so; what was removed comes back",
    async play(world) {
      await calm(world, 2);
      await scale(world, 4);
      const up = await underLoad(world, 4, () => next(world));
      assert.match(up.said, /Deployment notes has 4 pods, set by kubectl \(scale\), and app.replicas is 2/);
      assert.equal(await replicas(world), 4);
      await scale(world, 1);
      const back = await world.run("up", "up");
      succeeded(back);
      assert.match(back.said, /kubectl \(scale\) changed spec.replicas: it is 1, and this release sets 2/);
      assert.equal(await replicas(world), 2);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      await scale(world, 1);
      succeeded(await world.run("up", "up"));
      assert.equal(await replicas(world), 2);
      return up.measured;
    },
  },
  {
    name: "scaled by an autoscaler of its own (kubectl scale stands for it): no release changes the number",
    async play(world) {
      await calm(world, 2);
      world.set("app.replicas", "external");
      const handed = await world.run("up", "up");
      succeeded(handed);
      assert.equal(await replicas(world), 2);
      await scale(world, 4);
      const first = await underLoad(world, 4, () => next(world));
      assert.equal(await replicas(world), 4);
      await scale(world, 3);
      const second = await underLoad(world, 3, () => next(world));
      assert.equal(await replicas(world), 3);
      assert.doesNotMatch(second.said, /set by kubectl/);
      return `${first.measured}; ${second.measured}`;
    },
  },
  {
    name: "from a fixed 3, scaled to 5, to an autoscaler: never below 5, and then never below what the autoscaler sets",
    async play(world) {
      world.set("app.replicas", "3");
      await calm(world, 3);
      await scale(world, 5);
      // Without a number of its own: the override empties what the stack's file sets.
      world.set("app.replicas", "");
      world.set("app.autoscaling.min", "3");
      world.set("app.autoscaling.max", "7");
      world.set("app.autoscaling.cpuPercent", "70");
      const handed = await underLoad(world, 5, () => next(world));
      assert.equal(await replicas(world), 5);
      const [autoscaler] = await list(world.namespace, "horizontalpodautoscalers");
      assert.deepEqual([autoscaler.spec.minReplicas, autoscaler.spec.maxReplicas], [3, 7]);
      // Kubernetes' own autoscaler now sets 6, and owns the field.
      world.set("app.autoscaling.min", "6");
      succeeded(await world.run("up", "up"));
      await until(async () => (await available(world)) === 6, 90);
      const scaled = await underLoad(world, 6, () => next(world));
      assert.equal(await replicas(world), 6);
      for (const key of ["min", "max", "cpuPercent"]) world.set(`app.autoscaling.${key}`, undefined);
      world.set("app.replicas", undefined);
      // Back to a fixed 2: the pods stay until somebody scales down.
      const fixed = await world.run("up", "up");
      succeeded(fixed);
      assert.match(fixed.said, /Deployment notes has 6 pods, set by kube-controller-manager \(scale\)/);
      assert.equal(await replicas(world), 6);
      assert.deepEqual(await list(world.namespace, "horizontalpodautoscalers"), []);
      await scale(world, 2);
      return `${handed.measured}; ${scaled.measured}`;
    },
  },
  {
    name: "a fixed number that only the release has set is handed over as it is, not as Kubernetes' default of 1",
    async play(world) {
      // The release raises the number, and takes the field over from whoever has set it before.
      await scale(world, 2);
      world.set("app.replicas", "3");
      giveTime(world);
      succeeded(await world.run("up", "up"));
      assert.equal(await replicas(world), 3);
      world.set("app.replicas", "external");
      const up = await underLoad(world, 3, () => next(world));
      assert.equal(await replicas(world), 3);
      world.set("app.replicas", undefined);
      return up.measured;
    },
  },
  {
    name: "kubectl rollout undo: the next up, with unchanged settings, takes it back and says so",
    async play(world) {
      await calm(world, 2);
      await next(world);
      await kubectl(["rollout", "undo", DEPLOYMENT, "--namespace", world.namespace]);
      await rolledOut(world);
      const preview = await world.run("preview", "preview");
      succeeded(preview);
      assert.match(preview.said, /kubectl(-rollout)? at \S+ changed spec.template.spec.containers\[name="app"\].image/);
      const up = await underLoad(world, 2, () => world.run("up", "up"));
      assert.match(up.said, new RegExp(`and this release sets \\S+:${world.version.replaceAll(".", "\\.")}`));
      await serves(up, world.version);
      assert.deepEqual((await world.run("up", "up")).steps, []);
      return up.measured;
    },
  },
  {
    name: "kubectl set image: the next release sets its own again and says so",
    async play(world) {
      const hotfix = VERSIONS.find((version) => version !== world.version && version !== following(world))!;
      const target = `app=${image(hotfix)}`;
      await kubectl(["set", "image", DEPLOYMENT, target, "--namespace", world.namespace]);
      await rolledOut(world);
      world.migration("20260411000000_after_hotfix", 'ALTER TABLE "notes" ADD COLUMN "after_hotfix" TEXT;\n');
      const up = await underLoad(world, 2, () => next(world));
      assert.match(up.said, new RegExp(`kubectl-set at \\S+ changed .*: it is \\S+:${hotfix.replaceAll(".", "\\.")}`));
      await serves(up, world.version);
      return up.measured;
    },
  },
  {
    name: "the strategy recreate says that requests fail, never runs two versions at once, and can be left again",
    async play(world) {
      world.set("app.strategy", "recreate");
      world.set("app.downtime", "accepted");
      const up = await next(world);
      assert.match(up.said, /app.strategy is "recreate": requests fail/);
      await serves(up, world.version);
      world.set("app.strategy", undefined);
      world.set("app.downtime", undefined);
      world.set("app.maxSurge", "50%");
      const back = await underLoad(world, 2, () => next(world));
      const [deployment] = await list(world.namespace, "deployments");
      assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxSurge: "50%", maxUnavailable: 0 });
      world.set("app.maxSurge", undefined);
      return back.measured;
    },
  },
];

/** Releases the following version of the app. */
async function next(world: World): Promise<Release> {
  giveTime(world);
  world.set("app.image", image(following(world)));
  const release = await world.run("up", "up");
  succeeded(release);
  return release;
}

/** Gives the pods time to start on a busy machine. */
function giveTime(world: World): void {
  world.set("app.startupTimeout", "90s");
  world.set("app.progressDeadline", "3m");
}

/** Releases what is set, with that number of pods, whatever the scenario before it has left. */
async function calm(world: World, pods: number): Promise<void> {
  giveTime(world);
  succeeded(await world.run("up", "up"));
  await scale(world, pods);
}

/** Releases under load. No request may fail, and there may never be fewer pods than that number. */
async function underLoad(
  world: World,
  pods: number,
  release: () => Promise<Release>,
): Promise<Release & { measured: string }> {
  const watch = await watchDeployment(world.namespace, "notes");
  const load = startLoad({ url: await address(world), rate: 100 });
  try {
    const ran = await release();
    await until(() => load.counts().answered >= 1000, 60);
    await load.stop();
    succeeded(ran);
    assert.deepEqual(load.failures(), []);
    const fewest = watch.fewest();
    assert.ok(fewest.wanted >= pods, `only ${fewest.wanted} pods were wanted at one time, not ${pods}`);
    assert.ok(fewest.available >= pods, `only ${fewest.available} pods were available at one time, not ${pods}`);
    return { ...ran, measured: `${load.counts().answered} requests, 0 failed, never below ${fewest.available} pods` };
  } finally {
    await load.stop();
    await watch.stop();
  }
}

async function scale(world: World, pods: number): Promise<void> {
  await kubectl(["scale", DEPLOYMENT, `--replicas=${pods}`, "--namespace", world.namespace]);
  await rolledOut(world);
}

async function rolledOut(world: World): Promise<void> {
  await kubectl(["rollout", "status", DEPLOYMENT, "--timeout=110s", "--namespace", world.namespace]);
}

async function replicas(world: World): Promise<number> {
  const [deployment] = await list(world.namespace, "deployments");
  return deployment.spec.replicas;
}

async function available(world: World): Promise<number | undefined> {
  const [deployment] = await list(world.namespace, "deployments");
  return deployment.status.availableReplicas;
}
