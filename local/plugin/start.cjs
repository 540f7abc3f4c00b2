// This file is plain JavaScript, because it runs before TypeScript can: the CLI starts plugins in a directory of its
// choice, in which neither tsx nor this project's tsconfig.json would be found.
const { join } = require("node:path");

function loadTypeScript() {
  process.env.TSX_TSCONFIG_PATH = join(__dirname, "../../tsconfig.json");
  require("tsx/cjs/api").register();
  delete process.env.TSX_TSCONFIG_PATH;
}

exports.start = (name) => {
  loadTypeScript();
  const { main } = require("./main.ts");
  main(name, process.argv.slice(2)).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
};

exports.kubectl = () => {
  loadTypeScript();
  const { kubectl } = require("../cloud/kubernetes/kubectl.ts");
  void kubectl(process.argv.slice(2), process.env).then((status) => {
    process.exitCode = status;
  });
};
