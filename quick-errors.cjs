// Loaded ahead of the program (Pulumi.yaml, `nodeargs`). The SDK prints an error that nobody caught with
// `util.inspect(error, { colors: true })`, and Node 20 then loops over stack lines such as
// "node_modules/@pulumi/resource.ts", which the SDK's source maps produce: minutes, and some gigabytes of memory, before
// the error is seen. Without colours it does not, and a message is plain text.
const util = require("node:util");
util.inspect = new Proxy(util.inspect, {
  apply: (inspect, self, [value, options, ...rest]) =>
    Reflect.apply(inspect, self, [value, options?.colors ? { ...options, colors: false } : options, ...rest]),
});
