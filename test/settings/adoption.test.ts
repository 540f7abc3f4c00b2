import { expect, test } from "vitest";
import { parseSettings } from "../../settings/parse";

const settingsWith = (app: object, service: object) =>
  parseSettings({
    app: { name: "notes", image: "notes:1", ...app },
    database: { identifier: "notes-db", secret: { name: "notes-database" } },
    migrations: { directory: "migrations" },
    service,
  });

const LONG = "n".repeat(64);

/** Wrong settings of the app and of the Service, and what the message says. */
const WRONG: [app: object, service: object, message: string][] = [
  [{ adopt: "yes" }, {}, 'app.adopt is "yes"; it must be true or false'],
  [{ discard: ["env.OLD"] }, {}, 'app.discard is ["env.OLD"]; it must be left out, because app.adopt is not true'],
  [{ adopt: true, discard: "env.OLD" }, {}, 'app.discard is "env.OLD"; it must be'],
  [{ adopt: true, discard: [""] }, {}, "app.discard.0"],
  [{ selector: {} }, {}, "app.selector is {}; it must be not empty"],
  [{ selector: "app=notes" }, {}, 'app.selector is "app=notes"; it must be a group of keys'],
  [{ selector: { "app name": "notes" } }, {}, "the name of a label, such as app or app.kubernetes.io/name"],
  [{ selector: { app: 1 } }, {}, "app.selector.app is 1; it must be the value of a label, as a text"],
  [{ selector: { app: LONG } }, {}, "the value of a label: at most 63 letters"],
  [{ selector: { app: "notes web" } }, {}, "the value of a label"],
  [{ container: "Web" }, {}, 'app.container is "Web"; it must be lower-case letters'],
  [{ container: LONG }, {}, "at most 63 characters"],
  [{ portName: "8080" }, {}, 'app.portName is "8080"; it must be at most 15 lower-case letters'],
  [{ portName: "a-name-of-16-cha" }, {}, "at most 15 lower-case letters, digits and hyphens, with a letter"],
  [{ portName: "-web" }, {}, 'app.portName is "-web"'],
  [{}, { name: "notes_web" }, 'service.name is "notes_web"; it must be lower-case letters'],
  [
    {},
    { selector: { app: "notes" } },
    "made of labels that the pods have (app is neither in app.selector nor in app.pod)",
  ],
  [{ selector: { app: "notes" } }, { selector: { app: "other" } }, 'service.selector is {"app":"other"}'],
  [
    {},
    { portName: "Web" },
    'service.portName is "Web"; it must be at most 15 lower-case letters, digits and hyphens, with a letter, or "" for no name',
  ],
  [
    {},
    { portName: "", ports: [{ name: "m", port: 9, targetPort: 9 }] },
    "a name, because service.ports names further ports",
  ],
  [
    {},
    { ports: [{ name: "m", port: 80, targetPort: 9 }] },
    "service.ports.0.port is 80; it must be a number that no other port of the Service has",
  ],
  [{}, { ports: [{ name: "http", port: 81, targetPort: 9 }] }, "a name that no other port of the Service has"],
  [{}, { ports: [{ name: "m", port: 81, targetPort: true }] }, "the number or the name of a container's port"],
  [{}, { nodePort: 30_080 }, 'service.nodePort is 30080; it must be left out, because service.type is "ClusterIP"'],
  [
    {},
    { type: "LoadBalancer", nodePort: "30080" },
    'service.nodePort is "30080"; it must be a whole number from 1 to 65535',
  ],
  [{}, { spec: { clusterIP: "10.0.0.1" } }, "unknown setting service.spec.clusterIP"],
  [
    {},
    { spec: { externalTrafficPolicy: "local" } },
    'service.spec.externalTrafficPolicy is "local"; it must be "Cluster" or "Local"',
  ],
  [{}, { url: "notes.example.com" }, "a URL such as https://notes.example.com"],
  [{}, { url: "ftp://notes.example.com" }, "a URL such as https://notes.example.com"],
  [{}, { url: "https://user:pw@notes.example.com" }, "a URL such as https://notes.example.com"],
  [
    {},
    { url: "https://notes.example.com", host: "notes" },
    'service.host is "notes"; it must be left out, because service.url is set',
  ],
  [{}, { scheme: "tcp" }, 'service.scheme is "tcp"; it must be "http" or "https"'],
  [{}, { addressTimeout: "2h" }, "from 0s to 1h"],
];

test.each(WRONG)("app: %j and service: %j are wrong, and the message says what is right", (app, service, message) => {
  const { problems } = settingsWith(app, service);
  expect(problems.join("\n")).toContain(message);
});

test("a Service may select by a label that a fragment gives the pods", () => {
  const pod = { metadata: { labels: { team: "notes" } } };
  expect(settingsWith({ pod }, { selector: { team: "notes" } }).problems).toEqual([]);
  expect(settingsWith({ pod }, { selector: { team: "shop" } }).problems).toHaveLength(1);
});

test("what a team has already can be written down", () => {
  const app = {
    adopt: true,
    discard: ["env.OLD"],
    selector: { app: "notes", "example.com/tier": "" },
    container: "web",
  };
  const service = {
    name: "notes-web",
    type: "NodePort",
    selector: { app: "notes" },
    portName: "web",
    nodePort: 30_080,
    ports: [{ name: "metrics", port: 9090, targetPort: "metrics" }],
    spec: { sessionAffinity: "ClientIP" },
    url: "https://notes.example.com/app",
  };
  const { settings, problems } = settingsWith({ ...app, portName: "web" }, service);
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ app, service });
});
