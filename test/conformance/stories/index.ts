import type { Story } from "../scenario";
import { consumer } from "./consumer";
import { databases } from "./databases";
import { failures, snapshots } from "./failures";
import { interruptions } from "./interruptions";
import { bypasses, options } from "./options";
import { releases } from "./releases";
import { scaling } from "./scaling";

export const stories: Story[] = [
  releases,
  failures,
  snapshots,
  interruptions,
  options,
  scaling,
  bypasses,
  databases,
  consumer,
];
