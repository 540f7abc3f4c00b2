import { spawn } from "node:child_process";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { describeProcess, killGroup } from "../process";
import { pause } from "./pause";
import type { Handler, Probe } from "./pod-types";

/** The data with which a handler reaches its container. */
export interface HandlerTarget {
  /** Returns the port of this machine for a container port, given by number or name. */
  port(port: number | string): number;
  env: Record<string, string>;
  cwd: string;
  map(text: string): string;
}

/** Runs a probe or hook once; undefined when it succeeded, otherwise the kubelet's message. `timeout` is in ms. */
export async function runHandler(
  handler: Handler,
  target: HandlerTarget,
  timeout: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (handler.sleep) {
    await pause(handler.sleep.seconds * 1000, signal);
    return undefined;
  }
  if (handler.httpGet) return httpGet(handler.httpGet, target, timeout, signal);
  if (handler.tcpSocket) return tcpSocket(target.port(handler.tcpSocket.port), timeout);
  if (handler.exec)
    return exec(
      (handler.exec.command ?? []).map((word) => target.map(word)),
      target,
      timeout,
      signal,
    );
  return undefined;
}

/**
 * Repeats a probe until the signal fires, and calls `on` each time a threshold is reached. Failures count once per
 * period. With `eager` it probes more often until the first success. The kubelet would notice a start only at the next
 * period, but on this machine people wait for it.
 */
export async function watchProbe(
  probe: Probe,
  attempt: () => Promise<string | undefined>,
  on: { success?(): void; failure?(why: string): void },
  { signal, eager }: { signal: AbortSignal; eager: boolean },
): Promise<void> {
  const period = (probe.periodSeconds ?? 10) * 1000;
  const { successThreshold = 1, failureThreshold = 3 } = probe;
  let successes = 0;
  let failures = 0;
  let counted = Number.NEGATIVE_INFINITY;
  await pause((probe.initialDelaySeconds ?? 0) * 1000, signal);
  while (!signal.aborted) {
    const why = await attempt();
    if (signal.aborted) return;
    const due = performance.now() - counted >= period - 5;
    if (why === undefined) {
      failures = 0;
      counted = performance.now();
      if (++successes === successThreshold) on.success?.();
    } else if (due) {
      successes = 0;
      counted = performance.now();
      if (++failures === failureThreshold) on.failure?.(why);
    }
    await pause(eager && successes === 0 && failures < failureThreshold ? Math.min(period, 100) : period, signal);
  }
}

function httpGet(
  { path = "/", port, scheme = "HTTP", httpHeaders = [] }: NonNullable<Handler["httpGet"]>,
  target: HandlerTarget,
  timeout: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const send = scheme === "HTTPS" ? httpsRequest : httpRequest;
  return new Promise((answer) => {
    const request = send(
      {
        host: "127.0.0.1",
        port: target.port(port),
        path,
        agent: false,
        rejectUnauthorized: false,
        headers: Object.fromEntries([
          ["user-agent", "kube-probe"],
          ...httpHeaders.map(({ name, value }) => [name, value]),
        ]),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        answer(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
      },
    );
    request.once("error", (error) => answer(error.message));
    request.end();
  });
}

function tcpSocket(port: number, timeout: number): Promise<string | undefined> {
  return new Promise((answer) => {
    const socket = connect({ host: "127.0.0.1", port, timeout });
    const finish = (why?: string) => {
      socket.destroy();
      answer(why);
    };
    socket.once("connect", () => finish());
    socket.once("timeout", () => finish(`dial tcp 127.0.0.1:${port}: i/o timeout`));
    socket.once("error", (error) => finish(error.message));
  });
}

function exec(
  [program = "", ...args]: string[],
  { env, cwd }: HandlerTarget,
  timeout: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((answer) => {
    const child = spawn(program, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const process = child.pid === undefined ? undefined : describeProcess(child.pid);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        if (output.length < 2048) output += data.toString("utf8");
      });
    }
    const stop = () => {
      if (process) void killGroup(process);
    };
    const timer = setTimeout(stop, timeout);
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => answer(error.message));
    child.once("exit", (code, killed) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (code === 0) answer(undefined);
      else
        answer(
          killed ? `command "${program}" timed out` : `command "${program}" exited with ${code}: ${output.trim()}`,
        );
    });
  });
}
