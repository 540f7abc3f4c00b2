import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { refusedSignature } from "../../signature";
import { RdsError } from "../errors";
import { authorize } from "../permissions";
import type { ApiContext } from "./action";
import { ACTIONS } from "./actions";
import { readQuery } from "./query";
import { xml } from "./xml";

/** The path below which the background process answers as RDS does. */
export const API_PATH = "/rds";

/** The file in the cloud's directory with a line for each call, as AWS' CloudTrail keeps them. */
export const TRAIL = path.join("aws", "trail.jsonl");

/** The id of the access key with which calls are signed. */
const ACCESS_KEY_ID = "local";

const NAMESPACE = "http://rds.amazonaws.com/doc/2014-10-31/";

/**
 * Answers a call of RDS' API, in its query protocol.
 * @param secretKey the key with which calls must be signed
 */
export async function answerCall(
  context: ApiContext,
  request: IncomingMessage,
  response: ServerResponse,
  secretKey: string,
): Promise<void> {
  const body = await readText(request);
  const requestId = randomUUID();
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  const { action, parameters } = readQuery(body);
  let problem: RdsError | undefined;
  let answer = "";
  try {
    const key = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: secretKey };
    if (refusedSignature(request, key, body) !== undefined)
      throw new RdsError("SignatureDoesNotMatch", "The request signature does not match the signature you provided.");
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (!run) throw new RdsError("InvalidAction", `The local cloud has no action ${action}.`);
    authorize(context.cloudDir, action);
    answer = xml({ ...(await run({ ...context, region: regionOf(request) }, parameters)) });
  } catch (error) {
    problem = error instanceof RdsError ? error : new RdsError("InternalFailure", (error as Error).message);
  }
  record(context.cloudDir, { time: new Date().toISOString(), action, parameters, error: problem?.code });
  const text = problem
    ? `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${problem.code}</Code>${`<Message>${xml(problem.message)}</Message>`}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`
    : `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${answer}</${action}Result>${metadata}</${action}Response>`;
  const failure = problem?.code === "InternalFailure" ? 500 : 400;
  response.writeHead(problem ? failure : 200, { "content-type": "text/xml" });
  response.end(text);
}

/** Returns the region of a call, which is in the scope of its signature: KEY/DATE/REGION/rds/aws4_request. */
function regionOf({ headers }: IncomingMessage): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1];
}

function record(cloudDir: string, call: object): void {
  const file = path.join(cloudDir, TRAIL);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, `${JSON.stringify(call)}\n`, { mode: 0o600 });
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
