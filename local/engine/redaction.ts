import type { Json } from "../cloud/provider";
import { isObject } from "./values";

/** Shorter strings would blot out half of every message; the CLI draws a line too (sdk/go/common/util/logging). */
const SHORTEST = 4;
const SHORTEST_PASSWORD = 6;

/** Knows the secrets of a run and blots them out of whatever is shown. */
export class Redaction {
  private readonly known = new Set<string>();

  /** Learns every string in a secret value; of a URL also the password alone, as drivers quote it by itself. */
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
