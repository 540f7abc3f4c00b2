import { parseBytes } from "../text/bytes";
import { parseDuration } from "../text/short-duration";

/** A span of time in whole seconds, written `45s`, `10m`, `2h`, `1d` or in parts, `1h30m`. */
export class Duration {
  static readonly allowed = "a duration such as 45s, 10m, 2h or 1h30m";

  private constructor(
    readonly text: string,
    readonly seconds: number,
  ) {}

  /** Reads a duration; undefined when the text is no duration or isn't a whole number of seconds. */
  static parse(text: string): Duration | undefined {
    const milliseconds = parseDuration(text);
    if (milliseconds === undefined || milliseconds % 1000 !== 0) return undefined;
    return new Duration(text, milliseconds / 1000);
  }

  /** A duration in seconds, in the form that Pulumi's `customTimeouts` and Go's time.ParseDuration accept. */
  static ofSeconds(seconds: number): Duration {
    return new Duration(`${seconds}s`, seconds);
  }

  /** This duration plus a number of seconds. */
  plus(seconds: number): Duration {
    return Duration.ofSeconds(this.seconds + seconds);
  }

  /**
   * The value in JSON, in seconds. Two spellings of one duration are the
   * same setting and result in the same release id.
   */
  toJSON(): number {
    return this.seconds;
  }

  /** The duration as it was written. */
  toString(): string {
    return this.text;
  }
}

/** The allowed amounts of memory, as error messages describe them. */
export const MEMORY_ALLOWED = "an amount of memory such as 128Mi, 1Gi or 500M";
/** The allowed amounts of CPU, as error messages describe them. */
export const CPU_ALLOWED = "an amount of CPU such as 250m (a quarter of a core), 1 or 1.5";

/**
 * Reads a Kubernetes memory quantity
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
 * @returns bytes; undefined if the text is no such quantity
 */
export function parseMemory(text: string): number | undefined {
  return /[\sB]/.test(text) ? undefined : parseBytes(text);
}

/**
 * Reads a Kubernetes CPU quantity.
 * @returns cores; undefined if the text is no such quantity
 */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m)?$/.exec(text);
  return match ? Number(match[1]) / (match[2] ? 1000 : 1) : undefined;
}
