import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App, parseSettings } from "../../components";
import { PulumiRecorder } from "../support/pulumi-recorder";

const READER = { script: "// reader", context: "prod" };

let recorder: PulumiRecorder;
beforeEach(() => {
  recorder = new PulumiRecorder();
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function urlOf(service: object, reader?: typeof READER): Promise<string> {
  const { settings } = parseSettings({
    app: { name: "notes", image: "notes:1" },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    service: { type: "LoadBalancer", ...service },
  });
  const app = new App("notes", {
    namespace: "shop",
    releaseId: "r1",
    settings: settings!.app,
    database: { settings: settings!.database },
    service: settings!.service,
    protect: false,
    reader,
  });
  return new Promise((resolve) => app.url.apply(resolve));
}

const asked = () => recorder.calls.filter(({ token }) => token === "command:local:run");

test("a new load balancer's address is waited for after the rollout, and is the output", async () => {
  await recorder.start();
  recorder.stdout = JSON.stringify({ address: "lb-1.example.com" });
  expect(await urlOf({ name: "web", addressTimeout: "2m" }, READER)).toBe("http://lb-1.example.com");
  const [call] = asked();
  expect(JSON.parse(call!.inputs["environment"].RELEASE_REPORT)).toEqual({
    namespace: "shop",
    service: "web",
    timeoutSeconds: 120,
    context: "prod",
  });
});

test("an address that does not come in time is a warning, and the output is the name in the cluster", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  await recorder.start();
  recorder.stdout = JSON.stringify({ unknown: "it has none after 300 s" });
  expect(await urlOf({}, READER)).toBe("http://notes.shop.svc.cluster.local");
  expect(warn.mock.calls[0]![0]).toContain("The address of the load balancer of Service notes is unknown: it has none");
});

test.each<[string, object, boolean, boolean]>([
  ["the settings name a host", { host: "notes.example.com" }, true, false],
  ["the settings name a URL", { url: "https://notes.example.com" }, true, false],
  ["it is a ClusterIP", { type: "ClusterIP" }, true, false],
  ["there is no way to the cluster", {}, false, false],
  ["it is a preview", {}, true, true],
])("nobody is asked where %s", async (_, service, reader, preview) => {
  await recorder.start(preview);
  await urlOf(service, reader ? READER : undefined);
  expect(asked()).toEqual([]);
});
