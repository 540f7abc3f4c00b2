// What runs before TypeScript can: the CLI starts plugins in a directory of its own choice, where neither tsx nor this
// project's tsconfig.json would be found.
const { join } = require("node:path");

exports.start = (name) => {
  process.env.TSX_TSCONFIG_PATH = join(__dirname, "../../tsconfig.json");
  require("tsx/cjs/api").register();
  delete process.env.TSX_TSCONFIG_PATH;
  const { main } = require("./main.ts");
  main(name, process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
};
