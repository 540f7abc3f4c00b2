import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** An access key of a service of the local cloud. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * Checks the signature of a request (AWS Signature Version 4, in the header).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * @param body the body, of a service whose requests don't have its hash in a header as those to S3 do
 * @returns the code of the error; undefined if the signature is right
 */
export function refusedSignature(
  { method = "GET", url = "/", headers }: Pick<IncomingMessage, "method" | "url" | "headers">,
  { accessKeyId, secretAccessKey }: AccessKey,
  body = "",
): "AccessDenied" | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | undefined {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\S+), ?SignedHeaders=(\S+), ?Signature=([0-9a-f]{64})$/;
  const [, key, scope = "", signed = "", signature] = pattern.exec(headers.authorization ?? "") ?? [];
  if (signature === undefined) return "AccessDenied";
  if (key !== accessKeyId) return "InvalidAccessKeyId";
  const [path = "", query = ""] = url.split("?");
  const canonicalQuery = query
    .split("&")
    .filter((each) => each !== "")
    .map((each) => (each.includes("=") ? each : `${each}=`))
    .sort()
    .join("&");
  const canonicalHeaders = signed.split(";").map((name) => `${name}:${String(headers[name] ?? "").trim()}\n`);
  const payload = String(headers["x-amz-content-sha256"] ?? sha256(body));
  const canonical = [method, path, canonicalQuery, canonicalHeaders.join(""), signed, payload].join("\n");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const derived = scope
    .split("/")
    .reduce<Buffer>((from, part) => hmac(from, part), Buffer.from(`AWS4${secretAccessKey}`));
  return hmac(derived, text).toString("hex") === signature ? undefined : "SignatureDoesNotMatch";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
