// Loaded ahead of the program (Pulumi.yaml, `nodeargs`). The SDK prints an error that nobody caught with
// `util.inspect(error, { colors: true })`. That shows whatever hangs on the error (`promise: Promise { <rejected> … }`, the
// graph of outputs), and Node 20 loops over stack lines such as "node_modules/@pulumi/resource.ts", which the SDK's source
// maps produce: minutes, and some gigabytes of memory, before the error is seen. What a person needs is the message, and of
// the stack trace the lines in the program's own files.
const util = require("node:util");

const foreign = /^\s+at .*(node_modules|node:|<anonymous>|new Promise)/;

function inWords(error) {
  const own = String(error.stack ?? error)
    .split("\n")
    .filter((line) => !foreign.test(line));
  // Pulumi changes a message after the stack trace was made.
  return own.join("\n").includes(error.message) ? own.join("\n") : `${error.name}: ${error.message}`;
}

util.inspect = new Proxy(util.inspect, {
  apply(inspect, self, [value, options, ...rest]) {
    if (!options?.colors) return Reflect.apply(inspect, self, [value, options, ...rest]);
    if (util.types.isNativeError(value)) return inWords(value);
    return Reflect.apply(inspect, self, [value, { ...options, colors: false }, ...rest]);
  },
});
