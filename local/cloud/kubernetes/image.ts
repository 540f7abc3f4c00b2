import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { readJson } from "../atomic";

/** What a container image is on this machine: a folder and a program. */
export interface LocalImage {
  directory: string;
  /** What runs when the pod names no command: the image's entrypoint. */
  entrypoint: string[];
  /** What runs as its arguments when the pod names neither command nor arguments. */
  command: string[];
  env: Record<string, string>;
  /** Set for tags that end in `-unready`: the program runs, but is never called ready. A fault to be provoked. */
  neverReady: boolean;
}

interface ImageEntry {
  directory?: string;
  entrypoint?: string[];
  command?: string[];
  env?: Record<string, string>;
}

const CHECKOUT = resolve(__dirname, "../../..");

/**
 * Finds an image by the last part of its repository, `registry.example/team/notes:1.0.0` → `notes`, in `local/images.json`
 * and in `images.json` of the cloud's own folder. `{tag}` in an entry is replaced by the tag. Undefined: no such image here.
 */
export function findImage(cloudDir: string, reference: string): LocalImage | undefined {
  const { repository, tag } = parseImage(reference);
  const files = [join(cloudDir, "images.json"), join(CHECKOUT, "local/images.json")];
  const entry = files.map(entriesOf).find((entries) => Object.hasOwn(entries, repository))?.[repository];
  if (!entry) return undefined;
  const fill = (text: string) => text.replaceAll("{tag}", tag);
  const directory = fill(entry.directory ?? ".");
  return {
    directory: isAbsolute(directory) ? directory : join(CHECKOUT, directory),
    entrypoint: (entry.entrypoint ?? []).map(fill),
    command: (entry.command ?? []).map(fill),
    env: Object.fromEntries(Object.entries(entry.env ?? {}).map(([name, value]) => [name, fill(value)])),
    neverReady: tag.endsWith("-unready"),
  };
}

/** `host:5000/team/app:1.2@sha256:…` → `app`, `1.2`. */
export function parseImage(reference: string): { repository: string; tag: string } {
  const last = reference.replace(/@.*$/, "").split("/").at(-1) ?? "";
  const [repository = "", tag = "latest"] = last.split(":");
  return { repository, tag };
}

function entriesOf(file: string): Record<string, ImageEntry> {
  return existsSync(file) ? (readJson<Record<string, ImageEntry>>(file) ?? {}) : {};
}
