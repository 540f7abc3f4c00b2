import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expand } from "../../../../local/cloud/kubernetes/configuration";
import { boundLog, logTail } from "../../../../local/cloud/kubernetes/container-log";
import { findImage, parseImage } from "../../../../local/cloud/kubernetes/image";
import { selects } from "../../../../local/cloud/kubernetes/object";
import { takeNodePort, takePodPort } from "../../../../local/cloud/kubernetes/ports";
import { PathMapping } from "../../../../local/cloud/kubernetes/volumes";

function inFolder(test: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "parts-"));
  try {
    test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("an image", () => {
  test.each([
    ["notes", "notes", "latest"],
    ["notes:1.0.0", "notes", "1.0.0"],
    ["node:22-alpine@sha256:0123", "node", "22-alpine"],
    ["registry.example:5000/team/app", "app", "latest"],
    ["registry.example:5000/team/app:2", "app", "2"],
  ])("%s is found by its last part and has its tag", (reference, repository, tag) => {
    expect(parseImage(reference)).toEqual({ repository, tag });
  });

  test("takes its tag into its environment, and a tag that ends in -unready is never ready", () => {
    inFolder((folder) => {
      writeFileSync(join(folder, "images.json"), JSON.stringify({ web: { command: ["run"], env: { V: "{tag}" } } }));
      expect(findImage(folder, "team/web:3-unready")).toMatchObject({
        command: ["run"],
        env: { V: "3-unready" },
        neverReady: true,
      });
      expect(findImage(folder, "team/web:3")?.neverReady).toBe(false);
      expect(findImage(folder, "team/none-of-that-name")).toBeUndefined();
      for (const name of ["constructor", "toString", "__proto__"]) expect(findImage(folder, name)).toBeUndefined();
    });
  });
});

describe("a mount path in a command", () => {
  const mapping = new PathMapping([
    { mountPath: "/release", path: "/a b/pod/release" },
    { mountPath: "/release/keys", path: "/a b/pod/keys" },
  ]);
  test.each([
    ["/release", "/a b/pod/release"],
    ["/release/migrator.cjs", "/a b/pod/release/migrator.cjs"],
    ["/release/keys/url", "/a b/pod/keys/url"],
    ["--payload=/release", "--payload=/a b/pod/release"],
    ["file:/release/x", "file:/a b/pod/release/x"],
    ["/releases", "/releases"],
    ["/other/release", "/other/release"],
    ["https://example.org/release", "https://example.org/release"],
    ["node /release/x.cjs && echo done", "node /a\\ b/pod/release/x.cjs && echo done"],
    ['cat "/release/x"; true', 'cat "/a b/pod/release/x"; true'],
  ])("%s", (text, mapped) => {
    expect(mapping.map(text)).toBe(mapped);
  });
});

test("a mount path is not looked for in what another one became", () => {
  const mapping = new PathMapping([
    { mountPath: "/release", path: "/tmp/state/release" },
    { mountPath: "/tmp", path: "/tmp/state/writable" },
  ]);
  expect(mapping.map("/release/migrator.cjs")).toBe("/tmp/state/release/migrator.cjs");
  expect(mapping.map("/tmp")).toBe("/tmp/state/writable");
});

describe("a variable in a command", () => {
  test.each([
    ["$(A)/$(B)", "1/2"],
    ["$(UNKNOWN)", "$(UNKNOWN)"],
    ["$$(A)", "$(A)"],
    ["$A $", "$A $"],
  ])("%s", (text, expanded) => {
    expect(expand(text, { A: "1", B: "2" })).toBe(expanded);
  });
});

describe("a container's log", () => {
  test("is bounded, loses whole lines of its beginning, and goes on", () => {
    inFolder((folder) => {
      const log = join(folder, "main.log");
      const line = `${"x".repeat(99)}\n`;
      writeFileSync(log, line.repeat(90_000));
      boundLog(log);
      expect(statSync(log).size).toBeLessThanOrEqual(4 * 1024 * 1024);
      appendFileSync(log, "the end\n");
      const lines = readFileSync(log, "utf8").split("\n");
      expect(lines[0]).toBe(line.trim());
      expect(lines.at(-2)).toBe("the end");
      const { size } = statSync(log);
      boundLog(log);
      expect(statSync(log).size).toBe(size);
    });
  });

  test("ends as this run of the container ended, not as the one before", () => {
    inFolder((folder) => {
      const log = join(folder, "main.log");
      writeFileSync(log, "first run\n");
      const start = statSync(log).size;
      appendFileSync(log, "second run\n");
      expect(logTail(log, start)).toBe("second run\n");
      expect(logTail(join(folder, "none"), 0)).toBe("");
    });
  });
});

describe("a selector", () => {
  const labels = { app: "web", tier: "front" };
  test.each([
    [{ app: "web" }, true],
    [{ app: "api" }, false],
    [{ matchLabels: { app: "web" } }, true],
    [{ matchExpressions: [{ key: "tier", operator: "In", values: ["front", "back"] }] }, true],
    [{ matchExpressions: [{ key: "tier", operator: "NotIn", values: ["front"] }] }, false],
    [{ matchExpressions: [{ key: "gone", operator: "DoesNotExist" }] }, true],
    [{ matchExpressions: [{ key: "app", operator: "Exists" }] }, true],
    [{ matchExpressions: [{ key: "gone", operator: "NotIn", values: ["x"] }] }, true],
  ])("%j", (selector, expected) => {
    expect(selects(selector as never, labels)).toBe(expected);
  });
});

describe("ports", () => {
  test("are never given out twice, and lie where outgoing connections take none", async () => {
    const ports = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? takePodPort() : takeNodePort())));
    expect(new Set(ports).size).toBe(40);
    expect(ports.every((port) => port >= 20_000 && port < 32_768)).toBe(true);
  });
});
