// What `npx prisma migrate deploy` is in an app's image, without the network: the JavaScript engine, see prisma.config.mjs.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const home = dirname(fileURLToPath(import.meta.url));
const cli = join(home, "node_modules/prisma/build/index.js");
const child = spawn(process.execPath, [cli, "migrate", "deploy", "--config", join(home, "prisma.config.mjs")], {
  env: { ...process.env, PRISMA_QUERY_ENGINE_LIBRARY: cli, PRISMA_SCHEMA_ENGINE_BINARY: cli },
  stdio: "inherit",
});
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
