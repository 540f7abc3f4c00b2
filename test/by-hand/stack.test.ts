import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import { readCommandStack, stacksIn } from "../../by-hand/stack";
import { projectFolder, removeFolders } from "./project";

afterAll(removeFolders);

const NOTHING = { context: undefined, kubeconfig: undefined, namespace: undefined };

describe("a stack", () => {
  test("is read from its file, without the image, which may be known only at a release", () => {
    const folder = projectFolder({ prod: { "kubernetes:context": "eks-prod" }, dev: {} });
    expect(stacksIn(folder)).toEqual(["dev", "prod"]);
    const stack = readCommandStack(folder, "prod", NOTHING);
    expect(stack).toMatchObject({ name: "prod", context: "eks-prod", kubeconfig: undefined });
    expect(stack.settings.app.name).toBe("notes");
    expect(stack.directory).toBe(`${folder}/migrations`);
    expect(readCommandStack(folder, "prod", { ...NOTHING, context: "mine" }).context).toBe("mine");
  });

  test("is refused with everything that is wrong in it", () => {
    const folder = projectFolder({
      prod: { migrations: { directory: "migrations", deadline: "soon" }, database: { identifier: "-" }, unheard: 1 },
    });
    expect(() => readCommandStack(folder, "prod", NOTHING)).toThrow(
      /3 invalid settings of stack "prod"\.[\s\S]*deadline[\s\S]*"soon"/,
    );
  });

  test("may be given by the local release, with settings of its command line and no file of its own", () => {
    const folder = projectFolder({ dev: {} });
    const file = `${folder}/given.json`;
    const sections = {
      app: { name: "notes" },
      database: { identifier: "given-db", secret: { name: "s" } },
      migrations: { directory: "migrations" },
    };
    const config = Object.entries(sections).map(([key, value]) => [`release:${key}`, JSON.stringify(value)]);
    writeFileSync(file, JSON.stringify({ stack: "other", config: Object.fromEntries(config) }));
    vi.stubEnv("RELEASE_STACK_CONFIG", file);
    expect(stacksIn(folder)).toEqual(["dev", "other"]);
    expect(readCommandStack(folder, "other", NOTHING).settings.database.identifier).toBe("given-db");
    expect(readCommandStack(folder, "dev", NOTHING).settings.database.identifier).toBe("notes-db");
    vi.unstubAllEnvs();
  });

  test("whose kubeconfig is encrypted needs another one, because only Pulumi can read it", () => {
    const folder = projectFolder({ prod: { "kubernetes:kubeconfig": { secure: "v1:abc" } } });
    expect(() => readCommandStack(folder, "prod", NOTHING)).toThrow(
      "kubernetes:kubeconfig is encrypted, and only Pulumi can read it; pass --kubeconfig",
    );
    expect(readCommandStack(folder, "prod", { ...NOTHING, kubeconfig: "/k" }).kubeconfig).toBe("/k");
  });
});
