import { Log } from "../../migrator/log";
import { runBranch } from "./run-branch";

void runBranch(process.argv.slice(2), process.env, new Log("text")).then((exit) => {
  process.exit(exit);
});
