import { type Group, isGroup } from "./pod/fields";
import { problem, type Rule } from "./rule";

/** The rules for the settings with which a release takes over what exists in the cluster already. */
export const adoptionRules: Rule[] = [
  {
    needs: ["app"],
    broken: ({ app: { adopt, discard } }) =>
      problem(discard.length > 0 && !adopt, ["app", "discard"], "left out, because app.adopt is not true"),
  },
  {
    needs: ["app", "service"],
    broken: ({ app: { name, selector = {}, pod }, service }) => {
      // These are the labels that every pod of the app has. A Service that asks for another one has no pods at all.
      const own: Group = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": "app",
        "app.kubernetes.io/managed-by": "pulumi",
        ...podLabels(pod),
        ...selector,
      };
      const foreign = Object.entries(service.selector ?? {}).filter(([label, value]) => own[label] !== value);
      return problem(
        foreign.length > 0,
        ["service", "selector"],
        `made of labels that the pods have (${foreign.map(([label]) => label).join(", ")} is neither in app.selector nor in app.pod)`,
      );
    },
  },
  {
    needs: ["service"],
    broken: ({ service: { type, nodePort } }) =>
      problem(
        nodePort !== undefined && type === "ClusterIP",
        ["service", "nodePort"],
        'left out, because service.type is "ClusterIP"',
      ),
  },
  {
    needs: ["service"],
    broken: ({ service: { url, host } }) =>
      problem(url !== undefined && host !== undefined, ["service", "host"], "left out, because service.url is set"),
  },
  {
    needs: ["service"],
    broken: ({ service: { port, portName, ports } }) => {
      const numbers = [port, ...ports.map((each) => each.port)];
      const names = [portName, ...ports.map((each) => each.name)];
      return [
        ...problem(
          ports.length > 0 && portName === "",
          ["service", "portName"],
          "a name, because service.ports names further ports",
        ),
        ...ports.flatMap((each, index) => [
          ...problem(
            numbers.indexOf(each.port) <= index,
            ["service", "ports", index, "port"],
            "a number that no other port of the Service has",
          ),
          ...problem(
            names.indexOf(each.name) <= index,
            ["service", "ports", index, "name"],
            "a name that no other port of the Service has",
          ),
        ]),
      ];
    },
  },
];

/** The labels that a fragment of a pod template adds. */
function podLabels(fragment: Group | undefined): Group {
  const metadata = fragment?.["metadata"];
  const labels = isGroup(metadata) ? metadata["labels"] : undefined;
  return isGroup(labels) ? labels : {};
}
