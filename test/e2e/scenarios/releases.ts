import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startLoad } from "../../../local/demo/load";
import { address, failed, serves, succeeded, until } from "../expect";
import { list } from "../kubectl";
import { image, type Scenario } from "../scenario";

const GOOD = 'ALTER TABLE "notes" ADD COLUMN "colour" TEXT;\n';
const REQUESTS = 10_000;

/** How long the load may take to come to that number. */
const LOAD_SECONDS = 240;

/** Releases as they should be. */
export const releases: Scenario[] = [
  {
    name: "preview needs no more than its role, and changes nothing",
    async play(world) {
      const release = await world.run("preview", "preview");
      succeeded(release);
      assert.deepEqual(await list(world.namespace, "deployments"), []);
      return undefined;
    },
  },
  {
    name: "first release, under Pod Security restricted and with the role for up alone",
    async play(world) {
      const release = await world.run("up", "up");
      succeeded(release);
      await serves(release, "1.0.0");
      const pages = readdirSync(world.reports);
      assert.equal(pages.length, 1);
      // Read back from the logs of both Jobs, by kubectl.
      assert.doesNotMatch(release.said, /can't be read/);
      assert.match(readFileSync(join(world.reports, pages[0]!), "utf8"), /20260/);
      return `${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the same again: nothing to do",
    async play(world) {
      const release = await world.run("up", "up");
      succeeded(release);
      assert.deepEqual(release.steps, []);
      return `${release.seconds.toFixed(0)} s`;
    },
  },
  {
    name: "the role for preview can't release",
    async play(world) {
      world.set("app.image", image("1.1.0"));
      const release = await world.run("up", "preview");
      failed(release);
      assert.match(release.said, /forbidden/i);
      await serves(release, "1.0.0");
      return undefined;
    },
  },
  {
    name: `a good migration and a rolling update under load: at least ${REQUESTS} requests, none failed`,
    async play(world) {
      world.migration("20260401000000_colour", GOOD);
      const { result } = await world.run("preview", "up");
      const load = startLoad({ url: String(await address(world)), rate: 400 });
      assert.ok(result.ok);
      const release = await world.run("up", "up");
      await until(() => load.counts().answered >= REQUESTS, LOAD_SECONDS);
      await load.stop();
      succeeded(release);
      assert.deepEqual(load.failures(), []);
      await serves(release, "1.1.0");
      return `${load.counts().answered} requests, ${load.counts().failed} failed, longest ${load.latency().longest} ms`;
    },
  },
  {
    name: "a smoke check by the command plugin: when it fails, so does the release, with the new version serving",
    async play(world) {
      const check = (expected: string) =>
        `node -e 'fetch(process.env.RELEASE_URL + "/health").then((answer) => answer.json()).then(({ version }) => process.exit(3 * (version !== "${expected}")))'`;
      world.set("smoke.command", check("9.9.9"));
      const release = await world.run("up", "up");
      failed(release);
      assert.match(release.said, /exit status 3/);
      await serves(release, world.version);
      world.set("smoke.command", check(world.version));
      succeeded(await world.run("up", "up"));
      world.set("smoke.command", undefined);
      return undefined;
    },
  },
];

/** The last one of all. */
export const destroy: Scenario[] = [
  {
    name: "destroy with the role for up leaves nothing in the namespace but the Secret",
    async play(world) {
      const release = await world.run("destroy", "up");
      succeeded(release);
      for (const kind of ["deployments", "jobs", "services", "poddisruptionbudgets", "configmaps"]) {
        const names = (await list(world.namespace, kind)).map(({ metadata }) => metadata.name);
        // Kubernetes' own: every namespace has it.
        assert.deepEqual(
          names.filter((name) => name !== "kube-root-ca.crt"),
          [],
          kind,
        );
      }
      return undefined;
    },
  },
];
