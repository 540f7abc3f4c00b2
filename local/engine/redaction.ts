import type { Json } from "../cloud/provider";
import { isObject } from "./values";

/** Shorter secrets would match in almost every message; the CLI has a minimum too (sdk/go/common/util/logging). */
const SHORTEST = 4;
const SHORTEST_PASSWORD = 6;

/** Replaces the secrets of a run by `[secret]` in all text that is shown. */
export class Redaction {
  private readonly known = new Set<string>();

  /** Adds every string of a secret value, and for a URL also its password, since drivers quote that alone. */
  learn(value: Json): void {
    if (typeof value === "string") this.learnText(value);
    else if (Array.isArray(value)) for (const item of value) this.learn(item);
    else if (isObject(value)) for (const item of Object.values(value)) this.learn(item);
  }

  redact(text: string): string {
    let result = text;
    for (const word of [...this.known].sort((a, b) => b.length - a.length)) {
      if (result.includes(word)) result = result.replaceAll(word, "[secret]");
    }
    return result;
  }

  private learnText(text: string): void {
    if (text.trim().length < SHORTEST) return;
    this.known.add(text);
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/@]*?:([^@/]+)@/i.exec(text)?.[1];
    if (password === undefined) return;
    for (const form of [password, decode(password)]) if (form.length >= SHORTEST_PASSWORD) this.known.add(form);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
