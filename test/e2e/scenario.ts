import type { World } from "./world";

/** One thing that must hold on a real cluster. They are played in order, in one namespace. */
export interface Scenario {
  name: string;
  /** Gives what was measured, if anything was. */
  play(world: World): Promise<string | undefined>;
  /** An environment variable without which this scenario is skipped. */
  needs?: string;
}

/** The app's image of that version, as the cluster's nodes know it. */
export const image = (version: string): string => `${process.env["E2E_APP_IMAGE"]}:${version}`;

/** The versions of the app that the nodes have. */
export const VERSIONS = ["1.0.0", "1.1.0", "1.2.0"];

/** The version after the one that is set. */
export function following(world: World): string {
  return VERSIONS[(VERSIONS.indexOf(world.version) + 1) % VERSIONS.length]!;
}

/** Runs long enough for somebody to interfere. */
export const slow = (column: string): string =>
  `SELECT pg_sleep(20);\nALTER TABLE "notes" ADD COLUMN "${column}" TEXT;\n`;
