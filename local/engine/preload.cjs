// Loaded into the program's process ahead of everything else.

// The channel to the engine closes when the engine ends, also when it is killed. A program without its engine has
// nothing left to do and must not stay behind.
process.once("disconnect", () => process.exit(1));
process.channel?.unref();

// For programs that do not ask for it themselves.
require("../../quick-errors.cjs");
