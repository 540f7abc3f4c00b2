import { setFlagsFromString } from "node:v8";

/**
 * The Job's pod has little memory, and the program is short: a young generation that doesn't grow, and code that is small rather than fast, save
 * 30 MiB with 10 MiB of SQL. Imported first: only what is allocated afterwards is meant.
 */
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--optimize-for-size");
