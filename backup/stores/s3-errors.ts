import { Failure } from "../../migrator/failures/failure";
import {
  NoStoreCredentials,
  StoreFailed,
  StoreFull,
  StoreMissing,
  StoreRefused,
  StoreUnreachable,
} from "../failures/store";

type Kind = new (title: string, reason: string, cause?: unknown) => Failure;

/** The failures by what an error of the AWS SDK states: its name, the code of a system error, or the HTTP status. */
const KINDS: readonly { matches: RegExp; status?: number; kind: Kind }[] = [
  { matches: /^(CredentialsProviderError|CredentialIsNotValid|TokenProviderError)$/, kind: NoStoreCredentials },
  { matches: /^(NoSuchBucket)$/, kind: StoreMissing },
  {
    matches: /^(QuotaExceeded|InsufficientStorage|XMinioStorageFull|XMinioAdminBucketQuotaExceeded)$/,
    status: 507,
    kind: StoreFull,
  },
  {
    matches:
      /^(InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|Forbidden|ExpiredToken|InvalidToken|TokenRefreshRequired|AllAccessDisabled|AccountProblem|PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    status: 403,
    kind: StoreRefused,
  },
  {
    matches:
      /^(TimeoutError|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|ERR_TLS_.*|ERR_SSL_.*)$/,
    kind: StoreUnreachable,
  },
];

/** Returns what a person reads of an error of the AWS SDK; any failure is returned as it is. */
export function storeFailure(error: unknown, title: string): Error {
  if (error instanceof Failure) return error;
  const {
    name = "",
    code = "",
    message = "",
    $metadata,
  } = error as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const kind =
    KINDS.find(({ matches }) => matches.test(name) || matches.test(code)) ??
    KINDS.find((each) => each.status !== undefined && each.status === status);
  const words = [name === "Error" ? code : name, message].filter((each) => each !== "" && each !== "UnknownError");
  const reason = [...new Set(words)].join(": ").trim().replace(/\.$/, "") || `HTTP status ${status ?? "unknown"}`;
  return new (kind?.kind ?? StoreFailed)(title, reason, error);
}

/** Whether an error says that there is no such object. */
export function isNotFound(error: unknown): boolean {
  const { name } = error as { name?: string };
  return name === "NoSuchKey" || name === "NotFound";
}

/** Returns the body of an answer piece by piece. A connection that breaks meanwhile is a failure of the store too. */
export async function* bodyOf({ Body }: { Body?: unknown }, title: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of Body as AsyncIterable<Uint8Array>) yield piece;
  } catch (error) {
    throw storeFailure(error, title);
  }
}
