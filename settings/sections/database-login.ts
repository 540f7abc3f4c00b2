import { z } from "zod";
import { dnsName, secretKey, setting } from "../types";

const reference = z.strictObject({ name: dnsName, key: secretKey });

/** The settings of how the connections are secured and logged in to. */
export const login = {
  auth: setting(z.enum(["password", "iam"]).default("password"), {
    description:
      "`iam`: no password, but a token of AWS IAM for each connection, made with the credentials of the pod's service account. It takes `host`, `name` and `user` from the settings, and wants TLS.",
    example: "iam",
  }),
  ca: setting(
    z
      .union([z.strictObject({ configMap: reference }), z.strictObject({ secret: reference })], {
        error: () => '{configMap: {name: "…", key: "…"}} or {secret: {name: "…", key: "…"}}',
      })
      .optional(),
    {
      description:
        "The certificates (PEM) of the authorities that sign the server's certificate. They are mounted into every pod, and `PGSSLROOTCERT` names the file, `/run/database-ca/ca.crt`.",
      example: { configMap: { name: "database-ca", key: "ca.pem" } },
      without: "Node's own authorities and, for hosts of RDS, Amazon's",
    },
  ),
};
