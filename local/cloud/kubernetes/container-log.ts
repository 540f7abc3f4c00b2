import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/** The size in bytes above which a container's log loses its older half. */
const LIMIT = 8 * 1024 * 1024;

/**
 * The limits of a termination message that is taken from the log (kubelet, `dockershim/docker_legacy`,
 * `MaxContainerTerminationMessageLogLength`).
 */
const MESSAGE_LINES = 80;
const MESSAGE_BYTES = 2048;

/**
 * Limits the size of a log without renaming it, because the container's process has it open for appending. Text that is
 * written between the copy and the truncation is lost, as with logrotate's `copytruncate`.
 */
export function boundLog(path: string): void {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch {
    return;
  }
  try {
    const { size } = fstatSync(file);
    if (size <= LIMIT) return;
    const kept = Buffer.alloc(LIMIT / 2);
    readSync(file, kept, 0, kept.length, size - kept.length);
    const line = kept.indexOf("\n") + 1;
    ftruncateSync(file, 0);
    writeSync(file, kept.subarray(line), 0, kept.length - line, 0);
  } finally {
    closeSync(file);
  }
}

/** The log's last 80 lines or 2048 bytes, whichever is less, but nothing before `start`, where this run began. */
export function logTail(path: string, start: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const from = Math.max(size - MESSAGE_BYTES, size >= start ? start : 0);
    const bytes = Buffer.alloc(size - from);
    readSync(file, bytes, 0, bytes.length, from);
    return bytes
      .toString("utf8")
      .split("\n")
      .slice(-MESSAGE_LINES - 1)
      .join("\n");
  } finally {
    closeSync(file);
  }
}
