// The engine loads this file into the program's process before everything else.

// The channel to the engine closes when the engine ends, even if it is killed. The program can do nothing without its
// engine and must not keep running.
process.once("disconnect", () => process.exit(1));
process.channel?.unref();

// Programs that don't load this themselves need it too.
require("../../quick-errors.cjs");
