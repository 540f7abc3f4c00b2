import { afterAll, describe, expect, test } from "vitest";
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

  test("whose kubeconfig is encrypted needs another one, because only Pulumi can read it", () => {
    const folder = projectFolder({ prod: { "kubernetes:kubeconfig": { secure: "v1:abc" } } });
    expect(() => readCommandStack(folder, "prod", NOTHING)).toThrow(
      "kubernetes:kubeconfig is encrypted, and only Pulumi can read it; pass --kubeconfig",
    );
    expect(readCommandStack(folder, "prod", { ...NOTHING, kubeconfig: "/k" }).kubeconfig).toBe("/k");
  });
});
