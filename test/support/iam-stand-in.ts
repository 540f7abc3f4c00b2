import { createHash, createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcpServer, connect as dial, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

/** Credentials as AWS gives them for an hour. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const anHour = () => new Date(Date.now() + 3_600_000).toISOString();

/** New credentials, which no other run of the tests has. */
export function credentials(): Credentials {
  const random = () => randomBytes(12).toString("hex");
  return {
    accessKeyId: `ASIA${random().toUpperCase()}`,
    secretAccessKey: `secret-${random()}`,
    sessionToken: `session-${random()}`,
  };
}

/** What an HTTP stand-in was asked. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

async function httpStandIn(answer: (asked: Asked) => { status: number; type: string; body: string }) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      const question = { path: request.url ?? "", headers: request.headers, body };
      asked.push(question);
      const { status, type, body: text } = answer(question);
      response.writeHead(status, { "content-type": type }).end(text);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() };
}

/** A stand-in for STS: it gives credentials for the web identity token of a service account, as IRSA needs it. */
export function stsStandIn(token: string, given: Credentials) {
  return httpStandIn(({ body }) => {
    const query = new URLSearchParams(body);
    if (query.get("Action") !== "AssumeRoleWithWebIdentity" || query.get("WebIdentityToken") !== token)
      return {
        status: 403,
        type: "text/xml",
        body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
      };
    return {
      status: 200,
      type: "text/xml",
      body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${given.accessKeyId}</AccessKeyId><SecretAccessKey>${given.secretAccessKey}</SecretAccessKey><SessionToken>${given.sessionToken}</SessionToken><Expiration>${anHour()}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/notes/x</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`,
    };
  });
}

/** A stand-in for the agent of EKS Pod Identity on the node, which wants the pod's token in the header Authorization. */
export function podIdentityStandIn(token: string, given: Credentials) {
  return httpStandIn(({ headers }) => {
    if (headers.authorization !== token)
      return { status: 400, type: "application/json", body: JSON.stringify({ message: "unauthorized" }) };
    const body = {
      AccessKeyId: given.accessKeyId,
      SecretAccessKey: given.secretAccessKey,
      Token: given.sessionToken,
      AccountId: "123456789012",
      Expiration: anHour(),
    };
    return { status: 200, type: "application/json", body: JSON.stringify(body) };
  });
}

/** What RDS knows of a login by IAM. */
export interface TokenRules extends Credentials {
  readonly host: string;
  readonly port: () => number;
  readonly region: string;
}

/**
 * Judges a token as RDS does, as far as that is known from outside: a presigned URL of Signature Version 4 for this
 * server and user, at most 15 minutes old, signed with credentials that AWS gave.
 * (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
 * @returns what is wrong; undefined if it is right
 */
export function tokenProblem(token: string, user: string, rules: TokenRules, now = Date.now()): string | undefined {
  const server = `${rules.host}:${rules.port()}`;
  if (!token.startsWith(`${server}/?`)) return `it is not for ${server}`;
  const pairs = token
    .slice(server.length + 2)
    .split("&")
    .map((pair) => pair.split("=").map(decodeURIComponent) as [string, string]);
  const query = new Map(pairs);
  const date = query.get("X-Amz-Date") ?? "";
  const day = date.slice(0, 8);
  const scope = `${day}/${rules.region}/rds-db/aws4_request`;
  const expected: Record<string, string> = {
    Action: "connect",
    DBUser: user,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${rules.accessKeyId}/${scope}`,
    "X-Amz-Expires": "900",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Security-Token": rules.sessionToken,
  };
  for (const [name, value] of Object.entries(expected))
    if (query.get(name) !== value) return `${name} is ${query.get(name)}, not ${value}`;
  const made = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(now - made <= 900_000 && made - now <= 60_000)) return `it was made at ${date}, and it holds for 15 minutes`;
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalQuery = pairs
    .filter(([name]) => name !== "X-Amz-Signature")
    .map((pair) => pair.map(encode).join("="))
    .sort()
    .join("&");
  const canonical = ["GET", "/", canonicalQuery, `host:${server}`, "", "host", hash("")].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
  const key = [day, rules.region, "rds-db", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${rules.secretAccessKey}`,
  );
  if (query.get("X-Amz-Signature") !== hmac(key, toSign).toString("hex")) return "its signature is wrong";
  return undefined;
}

const SSL_REQUEST = 80877103;
const CANCEL_REQUEST = 80877102;

/** One login at the stand-in. */
export interface Login {
  readonly user: string;
  readonly token: string;
  readonly problem: string | undefined;
}

/**
 * A stand-in for the front of an RDS server: it wants TLS and a token of IAM, and lets whoever has one through to a real
 * server, which trusts it.
 */
export async function rdsStandIn(
  real: number,
  { certificate, key, ...rules }: Omit<TokenRules, "port"> & { certificate: string; key: string },
) {
  const logins: Login[] = [];
  const sockets = new Set<Socket>();
  let later = 0;
  const context = createSecureContext({ cert: certificate, key });
  const server = createTcpServer((raw) => {
    sockets.add(raw.on("error", () => undefined));
    void serve(raw).catch(() => raw.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function serve(raw: Socket): Promise<void> {
    const first = await message(raw, false);
    const through = (client: Socket, opening: Buffer) => {
      const direct = dial(real, "127.0.0.1");
      sockets.add(direct.on("error", () => client.destroy()));
      direct.write(opening);
      client.on("close", () => direct.destroy());
      direct.on("close", () => client.destroy());
      direct.pipe(client);
      client.pipe(direct);
    };
    const code = first.readInt32BE(4);
    if (code === CANCEL_REQUEST) return through(raw, first);
    if (code !== SSL_REQUEST)
      return void raw.end(refusal("28000", 'no pg_hba.conf entry for host "127.0.0.1", no encryption'));
    raw.write("S");
    const secure = new TLSSocket(raw, { isServer: true, secureContext: context });
    secure.on("error", () => raw.destroy());
    const startup = await message(secure, false);
    const fields = startup.subarray(8).toString("utf8").split("\0");
    const user = fields[fields.indexOf("user") + 1] ?? "";
    // AuthenticationCleartextPassword
    secure.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    const token = (await message(secure, true)).subarray(5, -1).toString("utf8");
    const problem = tokenProblem(token, user, { ...rules, port: () => port }, Date.now() + later);
    logins.push({ user, token, problem });
    if (problem !== undefined) return void secure.end(refusal("28000", `PAM authentication failed for user "${user}"`));
    through(secure, startup);
  }

  return {
    port,
    logins,
    /** Sets the server's clock ahead by this time. */
    ahead: (milliseconds: number) => {
      later = milliseconds;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Reads one message of Postgres' protocol; only the first of a connection have no type. */
async function message(socket: Socket, typed: boolean): Promise<Buffer> {
  const at = typed ? 1 : 0;
  let data = Buffer.alloc(0);
  while (data.length < at + 4 || data.length < at + data.readInt32BE(at)) {
    const part: Buffer | null = socket.read();
    if (part) data = Buffer.concat([data, part]);
    else await once(socket, "readable");
  }
  return data;
}

function refusal(code: string, text: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
