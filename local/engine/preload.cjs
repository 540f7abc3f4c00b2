// Loaded into the program's process ahead of everything else.

// The channel to the engine closes when the engine ends, also when it is killed. A program without its engine has
// nothing left to do and must not stay behind.
process.once("disconnect", () => process.exit(1));
process.channel?.unref();

// The SDK prints errors with `util.inspect(error, { colors: true })`. Node 20 then loops over stack lines such as
// "node_modules/@pulumi/resource.ts" (which the SDK's source maps produce) until some gigabytes of memory are used up.
// Without colours it does not, and a message is plain text.
const util = require("node:util");
util.inspect = new Proxy(util.inspect, {
  apply: (inspect, self, [value, options, ...rest]) =>
    Reflect.apply(inspect, self, [value, options?.colors ? { ...options, colors: false } : options, ...rest]),
});
