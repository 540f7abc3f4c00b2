import { spawn } from "node:child_process";

/**
 * Starts a shell that stops the server in `<home>/data` and removes the folder as soon as this process has ended, also
 * by `kill -9`. The shell ends by itself within a second after the folder is removed. It removes the folder until it is
 * gone, because a program that this process has started may still be writing to it.
 */
export function endWithParent(home: string): void {
  const script = `while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 1; done
    [ -f "$1/data/postmaster.pid" ] && kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
    for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$1"; sleep 1; [ -d "$1" ] || break; done`;
  const args = ["-c", script, "sh", home, String(process.pid)];
  spawn("/bin/sh", args, { detached: true, stdio: "ignore", cwd: "/" }).unref();
}
