/** Durations and sizes as people write them in the settings. */

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A span of time, written `45s`, `10m`, `2h`, `1d` or in parts, `1h30m`. Whole seconds. */
export class Duration {
  static readonly allowed = "a duration such as 45s, 10m, 2h or 1h30m";

  private constructor(
    readonly text: string,
    readonly seconds: number,
  ) {}

  /** Undefined when the text is no duration. */
  static parse(text: string): Duration | undefined {
    if (!/^(\d{1,9}[smhd])+$/.test(text)) return undefined;
    let seconds = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+)([smhd])/g)) seconds += Number(amount) * SECONDS[unit!]!;
    return new Duration(text, seconds);
  }

  /** As Pulumi's `customTimeouts` and Go's time.ParseDuration read it. */
  static ofSeconds(seconds: number): Duration {
    return new Duration(`${seconds}s`, seconds);
  }

  plus(seconds: number): Duration {
    return Duration.ofSeconds(this.seconds + seconds);
  }

  /** Two ways to write one duration are the same setting: they give the same release id. */
  toJSON(): number {
    return this.seconds;
  }

  toString(): string {
    return this.text;
  }
}

const BYTES: Record<string, number> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

export const MEMORY_ALLOWED = "an amount of memory such as 128Mi, 1Gi or 500M";
export const CPU_ALLOWED = "an amount of CPU such as 250m (a quarter of a core), 1 or 1.5";

/** Bytes of a Kubernetes memory quantity (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/). */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  return match ? Number(match[1]) * BYTES[match[2] ?? ""]! : undefined;
}

/** Cores of a Kubernetes CPU quantity. */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m)?$/.exec(text);
  return match ? Number(match[1]) / (match[2] ? 1000 : 1) : undefined;
}
