import { z } from "zod";
import { duration, name, setting, text, whole } from "../types";

// This module contains the settings with which a release takes over what exists in the cluster already.

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;

/** Labels and their values, as a selector has them; at least one (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/). */
const selector = z
  .record(
    z.string().regex(LABEL_KEY, "the name of a label, such as app or app.kubernetes.io/name"),
    z
      .string({ error: () => "the value of a label, as a text" })
      .regex(LABEL_VALUE, "the value of a label: at most 63 letters, digits, hyphens, dots and underscores"),
  )
  .refine((labels) => Object.keys(labels).length > 0, "not empty");

const PORT_NAME = "at most 15 lower-case letters, digits and hyphens, with a letter";
/** The name of a port (RFC 6335, which Kubernetes applies). */
const PORT_NAME_FORM = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;
const portName = z.string().regex(PORT_NAME_FORM, PORT_NAME);
const optionalPortName = z.string().regex(new RegExp(`^$|${PORT_NAME_FORM.source}`), `${PORT_NAME}, or "" for no name`);

/** What the app's Deployment and its pods are called, where an existing one decides it. */
export const adoptedApp = {
  adopt: setting(z.boolean().default(false), {
    description:
      "Takes over the Deployment, the Service and the budget of these names that another tool made. " +
      "A preview lists first what the release would change about them (docs/into-your-cluster.md).",
    example: true,
  }),
  discard: setting(z.array(text).default([]), {
    description:
      "Parts of the existing objects that the release removes when it takes them over, as a preview names them.",
    example: ["initContainers.migrate", "containers.app.env.OLD_FLAG"],
  }),
  selector: setting(selector.optional(), {
    description:
      "`matchLabels` of the Deployment, which the pods get as labels too. Kubernetes never lets it change, " +
      "so it must be that of an existing Deployment that is taken over.",
    example: { app: "notes", tier: "web" },
    without: "labels with the app's name",
  }),
  container: setting(name(63).default("app"), {
    description: "Name of the app's container.",
    example: "web",
  }),
  portName: setting(portName.default("http"), {
    description: "Name of the container's port, by which a NetworkPolicy or a PodMonitor may refer to it.",
    example: "web",
  }),
};

const furtherPort = z.strictObject({
  name: portName,
  port: whole(1, 65_535),
  targetPort: z.union([whole(1, 65_535), portName], { error: () => "the number or the name of a container's port" }),
});

/** How the Service is called and what it selects, where an existing one decides it. */
export const adoptedService = {
  name: setting(name(63).optional(), {
    description: "Name of the Service.",
    example: "notes-web",
    without: "`app.name`",
  }),
  selector: setting(selector.optional(), {
    description: "Labels of the pods that get the requests; every pod of the app must have them.",
    example: { app: "notes" },
    without: "`app.selector`",
  }),
  portName: setting(optionalPortName.default("http"), {
    description: 'Name of the Service\'s port, by which an Ingress may refer to it; `""` for a port without a name.',
    example: "web",
  }),
  nodePort: setting(whole(1, 65_535).optional(), {
    description: "Port of every node, for the types `NodePort` and `LoadBalancer`.",
    example: 30_080,
    without: "the one that the Service has, or one that Kubernetes chooses",
  }),
  ports: setting(z.array(furtherPort).default([]), {
    description: "Further ports of the Service, such as one for metrics.",
    example: [{ name: "metrics", port: 9090, targetPort: "metrics" }],
  }),
  spec: setting(
    z
      .strictObject({
        externalTrafficPolicy: z.enum(["Cluster", "Local"]).optional(),
        internalTrafficPolicy: z.enum(["Cluster", "Local"]).optional(),
        sessionAffinity: z.enum(["None", "ClientIP"]).optional(),
        loadBalancerClass: text.optional(),
        loadBalancerSourceRanges: z.array(text).optional(),
        ipFamilyPolicy: z.enum(["SingleStack", "PreferDualStack", "RequireDualStack"]).optional(),
        trafficDistribution: text.optional(),
      })
      .default({}),
    {
      description:
        "Further fields of the Service: `externalTrafficPolicy`, `internalTrafficPolicy`, `sessionAffinity`, " +
        "`loadBalancerClass`, `loadBalancerSourceRanges`, `ipFamilyPolicy`, `trafficDistribution`.",
      example: { externalTrafficPolicy: "Local" },
    },
  ),
};

/** What the output `url` says. */
export const address = {
  url: setting(
    z
      .string()
      .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/, "a URL such as https://notes.example.com")
      .optional(),
    {
      description: "The output `url` as a whole, for an app behind an Ingress, an ALB or a proxy.",
      example: "https://notes.example.com",
      without: "made of the scheme, the host and the port",
    },
  ),
  scheme: setting(z.enum(["http", "https"]).default("http"), {
    description: "Scheme of the output `url`: `https` where the load balancer has the certificate.",
    example: "https",
  }),
  addressTimeout: setting(duration("0s", "1h").prefault("5m"), {
    description: "Time that the release waits, after the rollout, for the address of a new load balancer.",
    example: "10m",
  }),
};
