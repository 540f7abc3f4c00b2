import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { readJson } from "../../../text/atomic";

/** A container image on this machine, which is a folder and a program. */
export interface LocalImage {
  directory: string;
  /** The image's entrypoint, which runs if the pod names no command. */
  entrypoint: string[];
  /** The entrypoint's arguments, which are used if the pod names neither command nor arguments. */
  command: string[];
  env: Record<string, string>;
  /** Whether the tag ends in `-unready`: then the program runs but never becomes ready, a fault for tests and demos. */
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
 * Finds an image by the last part of its repository (`registry.example/team/notes:1.0.0` → `notes`) in `images.json` of
 * the cloud's folder, then in `local/images.json`. `{tag}` in an entry is replaced by the tag. Undefined if there is no
 * such image.
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

/** Splits an image reference: `host:5000/team/app:1.2@sha256:…` → `app`, `1.2`. The default tag is `latest`. */
export function parseImage(reference: string): { repository: string; tag: string } {
  const last = reference.replace(/@.*$/, "").split("/").at(-1) ?? "";
  const [repository = "", tag = "latest"] = last.split(":");
  return { repository, tag };
}

function entriesOf(file: string): Record<string, ImageEntry> {
  return existsSync(file) ? (readJson<Record<string, ImageEntry>>(file) ?? {}) : {};
}
