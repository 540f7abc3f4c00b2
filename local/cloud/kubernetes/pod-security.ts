import { type KubernetesObject, referenceTo } from "./object";
import type { Store } from "./store";

interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  allowPrivilegeEscalation?: boolean;
  privileged?: boolean;
  seccompProfile?: { type?: string };
  capabilities?: { drop?: string[]; add?: string[] };
}

interface SecuredContainer {
  name: string;
  securityContext?: SecurityContext;
}

/**
 * The violations that Pod Security Admission reports in a namespace labelled
 * `pod-security.kubernetes.io/enforce: restricted`, with its messages
 * (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted). Undefined if there are none. A
 * real cluster rejects the pods and only warns about their Deployment or Job. Here the manifest itself is rejected,
 * which is easier to see.
 */
export function podSecurityViolations(store: Store, object: KubernetesObject): string | undefined {
  const spec = object.kind === "Pod" ? object["spec"] : object["spec"]?.template?.spec;
  if (!spec?.containers) return undefined;
  const namespace = store.get({ group: "", kind: "Namespace", namespace: "", name: referenceTo(object).namespace });
  if (namespace?.metadata.labels?.["pod-security.kubernetes.io/enforce"] !== "restricted") return undefined;

  const containers: SecuredContainer[] = [...(spec.initContainers ?? []), ...spec.containers];
  const pod: SecurityContext = spec.securityContext ?? {};
  const found: string[] = [];
  const check = (what: string, how: string, fine: (context: SecurityContext) => boolean) => {
    const names = containers
      .filter(({ securityContext = {} }) => !fine(securityContext))
      .map(({ name }) => `"${name}"`);
    const who = `container${names.length > 1 ? "s" : ""} ${names.join(", ")}`;
    if (names.length > 0) found.push(`${what} (${who} must set ${how})`);
  };
  check(
    "allowPrivilegeEscalation != false",
    "securityContext.allowPrivilegeEscalation=false",
    (own) => own.allowPrivilegeEscalation === false,
  );
  check(
    "unrestricted capabilities",
    'securityContext.capabilities.drop=["ALL"]',
    (own) => own.capabilities?.drop?.includes("ALL") ?? false,
  );
  check(
    "runAsNonRoot != true",
    "securityContext.runAsNonRoot=true",
    (own) => (own.runAsNonRoot ?? pod.runAsNonRoot) === true,
  );
  check("runAsUser=0", "a securityContext.runAsUser other than 0", (own) => (own.runAsUser ?? pod.runAsUser) !== 0);
  check("seccompProfile", 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"', (own) =>
    ["RuntimeDefault", "Localhost"].includes((own.seccompProfile ?? pod.seccompProfile)?.type ?? ""),
  );
  check("privileged", "securityContext.privileged=false", (own) => own.privileged !== true);
  return found.length > 0 ? found.join(", ") : undefined;
}
