import { config } from "./config";
import { destroy } from "./destroy";
import { down } from "./down";
import { fault } from "./fault";
import { logs } from "./logs";
import { ops } from "./ops";
import { outputs } from "./outputs";
import { preview } from "./preview";
import { query } from "./query";
import { refresh } from "./refresh";
import { restore } from "./restore";
import { snapshots } from "./snapshots";
import { status } from "./status";
import { up } from "./up";
import type { Verb } from "./verb";

export const verbs: Verb[] = [
  preview,
  up,
  destroy,
  refresh,
  outputs,
  status,
  logs,
  query,
  ops,
  snapshots,
  restore,
  config,
  down,
  fault,
];
