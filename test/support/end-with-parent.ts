import { spawn } from "node:child_process";

/** A test run that is killed has no chance to stop its servers: a shell looks after each, until its folder is gone. */
export function endWithParent(home: string): void {
  const script = `while [ -d "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 1; done
    [ -d "$1" ] && { kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"; rm -rf "$1"; }`;
  const args = ["-c", script, "sh", home, String(process.pid)];
  spawn("/bin/sh", args, { detached: true, stdio: "ignore", cwd: "/" }).unref();
}
