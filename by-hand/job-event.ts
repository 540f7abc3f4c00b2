/** Returns the fields of a line of a Job's log, if it is an event in JSON; undefined for any other line. */
export function eventOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
