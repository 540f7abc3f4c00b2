import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { Client, type ClientConfig, type QueryResult } from "pg";
import { BadUrl, ConnectionLost, PoolerInBetween } from "../failures/connection";
import { Failure, UNTOUCHED } from "../failures/failure";
import { sendCancel } from "./cancel";
import { iamToken } from "./iam-token";
import { refuseKnownPooler } from "./known-poolers";
import { quieten } from "./quiet-error";
import { refusedConnection } from "./refused-connection";
import { OWN_PATH } from "./search-path";
import { tlsOptions } from "./tls-options";
import type { Target } from "./url";
import { checkedMessages } from "./wire-messages";

/** The options with which a session is opened. */
export interface SessionOptions {
  /** The application name in pg_stat_activity, unless the connection string sets another. */
  readonly applicationName: string;
  /**
   * The time, in milliseconds, for which a server that refuses connections or doesn't answer is tried again: the server
   * or a sidecar proxy may be starting, or an Aurora cluster may be waking up.
   */
  readonly connectWait: number;
  /** Called once if the first try fails and there are further ones, with the reason. */
  readonly onWait?: (reason: string) => void;
  readonly onNotice?: (severity: string, message: string) => void;
  /** True if errors keep the server's whole text, which may contain values of rows; default: false. */
  readonly showValues?: boolean;
}

/**
 * One session of the database, and what is known of it. Its search path is the server's catalog only, until a statement
 * sets another.
 */
export class Session {
  /** The reason why the connection is gone; undefined while it is open. */
  lost: string | undefined;

  private constructor(
    readonly client: Client,
    readonly target: Target,
    /** The id of the server's process for this session, as the server itself returns it. */
    readonly pid: number,
    /** The server's version as a number, for example 180004. */
    readonly serverVersion: number,
    readonly encrypted: boolean,
    readonly showValues: boolean,
  ) {
    client.on("error", (error) => {
      this.lost ??= error.message;
    });
    client.on("end", () => {
      this.lost ??= "the server closed it";
    });
  }

  /**
   * Opens a session.
   * @throws BadUrl, ConnectionLost, LoginRefused, PoolerInBetween, TlsFailure, Unreachable
   */
  static async open(target: Target, options: SessionOptions): Promise<Session> {
    refuseKnownPooler(target);
    const client = await connect(target, options);
    const severity = (message: { severity?: string | undefined }) => message.severity ?? "NOTICE";
    client.on("notice", (message) => {
      // A ROLLBACK outside of a transaction is sent by this program itself, so its notice is left out.
      if (message.code !== NO_TRANSACTION) options.onNotice?.(severity(message), message.message ?? "");
    });
    const limit = target.connectTimeout || LONGEST_OPENING;
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      clientStream(client).destroy();
    }, limit);
    try {
      // Every name has its schema, because the search path of the role is unknown until the next statement sets it.
      const { rows } = await client.query(
        "SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version",
      );
      const { pid, version } = rows[0] as { pid: number; version: number };
      const announced = (client as unknown as { processID: number | null }).processID;
      // A pooler announces process ids of its own, and serves each transaction with another process of the server.
      if (announced !== null && announced !== pid)
        throw new PoolerInBetween(`the session was announced as process ${announced} and is served by ${pid}`, target);
      if (target.pooled) throw new PoolerInBetween("the connection says pgbouncer=true", target);
      await client.query(OWN_PATH);
      const encrypted = "encrypted" in clientStream(client);
      return new Session(client, target, pid, version, encrypted, options.showValues ?? false);
    } catch (error) {
      clientStream(client).destroy();
      if (silent)
        throw connectionLost(
          new Error(`the server accepted the login and then did not answer within ${limit / 1000} s`),
        );
      throw error instanceof Failure ? error : await refusedConnection(error, target, 0);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs one statement with parameters, and returns its rows. */
  async rows<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    const result = await this.#quietly(text, this.client.query(text, values));
    return result.rows as Row[];
  }

  /** Runs one or more statements as one message of the simple protocol, and returns one result per statement. */
  async run(text: string): Promise<QueryResult[]> {
    const result: QueryResult | QueryResult[] = await this.#quietly(text, this.client.query(text));
    return Array.isArray(result) ? result : [result];
  }

  async #quietly<T>(text: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!this.showValues) quieten(error, text);
      throw error;
    }
  }

  /** Asks the server to cancel what runs in this session. That needs no free connection slot. */
  async cancel(): Promise<void> {
    const { processID, secretKey } = this.client as unknown as { processID: number; secretKey: number };
    await sendCancel(this.target, processID, secretKey);
  }

  /** Closes the socket without ending the session properly; the server then rolls back. */
  destroy(): void {
    clientStream(this.client).destroy();
  }

  async close(): Promise<void> {
    if (this.lost !== undefined) return;
    await Promise.race([this.client.end().catch(() => undefined), pause(2000, undefined, { ref: false })]);
  }
}

/** Returns whether an error means that the session is gone, rather than that a statement was wrong. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined && /^(57P0[1-4]|08...)$/.test(code)) return true;
  if (code !== undefined && ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH"].includes(code))
    return true;
  return /^(Connection terminated|Client has encountered a connection error|Client was closed)/.test(message ?? "");
}

/**
 * Makes the failure for a lost session.
 * @param database the state of the database, if the caller knows it; default: nothing was changed
 */
export function connectionLost(error: unknown, database: string = UNTOUCHED): ConnectionLost {
  return new ConnectionLost((error as Error).message, database, error);
}

function clientStream(client: Client): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}

/** Puts {@link checkedMessages} between the socket, encrypted or not, and pg's parser. */
function checkMessages(client: Client): void {
  const { connection } = client as unknown as { connection: { attachListeners(stream: EventEmitter): void } };
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => attach(checkedMessages(stream as Duplex));
}

const NO_TRANSACTION = "25P01";
/** The longest time, in milliseconds, for the first queries if the connection string sets no limit. */
const LONGEST_OPENING = 30_000;
/**
 * The errors of a server that is about to start: nothing listens yet, it closes the connection again, or it doesn't
 * answer. An Aurora cluster that was paused answers nothing for 15 s and more.
 */
const STARTING = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOENT|EAI_AGAIN|57P03)$/;

function isStarting(error: unknown): boolean {
  const { code = "", message } = error as { code?: string; message: string };
  return STARTING.test(code) || message === "timeout expired";
}

/**
 * Checks that the client certificate can be opened. If not, the connection string is wrong, not the server.
 * @throws BadUrl
 */
function checkIdentity({ tls: { pfx, passphrase }, form }: Target): void {
  if (pfx === undefined) return;
  try {
    createSecureContext({ pfx, passphrase });
  } catch (error) {
    const reason = (error as Error).message;
    throw new BadUrl(
      [
        `The parameter sslidentity of the connection names a file that can't be opened as PKCS#12 with sslpassword (${reason}).`,
      ],
      form,
    );
  }
}

/**
 * Connects and logs in, also through a pooler. A server that doesn't answer yet is tried again.
 * @throws BadUrl, LoginRefused, TlsFailure, Unreachable
 */
export async function connect(
  target: Target,
  options: Pick<SessionOptions, "applicationName" | "connectWait" | "onWait">,
): Promise<Client> {
  checkIdentity(target);
  const began = Date.now();
  for (let wait = 100; ; wait = Math.min(wait * 2, 1000)) {
    try {
      return await attempt(target, options, target.tlsMode !== "disable" && !target.host.startsWith("/"));
    } catch (error) {
      if (!isStarting(error) || Date.now() + wait >= began + options.connectWait)
        throw await refusedConnection(error, target, Date.now() - began);
      if (wait === 100) options.onWait?.((error as Error).message);
      await pause(wait);
    }
  }
}

async function attempt(
  target: Target,
  options: Pick<SessionOptions, "applicationName">,
  tls: boolean,
): Promise<Client> {
  // A token is valid for 15 minutes, so each connection gets its own.
  const password = target.auth === "iam" ? await iamToken(target) : target.password;
  const config: ClientConfig = {
    host: target.host,
    port: target.port,
    user: target.user,
    password,
    database: target.database,
    ssl: tls ? await tlsOptions(target) : false,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: target.connectTimeout,
    application_name: target.applicationName ?? options.applicationName,
    ...(target.options === undefined ? {} : { options: target.options }),
  };
  const client = new Client(config);
  checkMessages(client);
  // Without a listener an error between connect() and the first query would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    const refused = /does not support SSL/.test((error as Error).message);
    if (refused && target.tlsMode === "prefer") return attempt(target, options, false);
    throw error;
  }
}
