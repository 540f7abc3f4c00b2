import type { Review } from "../review/review";
import { ReleaseError } from "./release-error";

/** This error reports a contract migration, which the app image's own command can't leave for after the rollout. */
class ContractRefused extends ReleaseError {
  override readonly name = "ContractRefused";

  constructor(migration: string) {
    super(
      `${migration} is marked \`-- release: contract\`, to be applied after the rollout; with migrations.runner "command" the app image's own command would apply it before.\n` +
        "Nothing was touched: database and app are as they were.\n" +
        "Release without it first, and with it (its mark taken away) in the release after it; or set migrations.runner to migrator. Then run the same command again.",
    );
  }
}

/**
 * Refuses a release with a contract migration, unless it is the first release, which has no old version to wait for.
 *
 * @throws ContractRefused when one of the release's migrations has to wait for the rollout
 */
export function refuseContract({ first, migrations }: Review): void {
  const held = first ? undefined : migrations.find(({ contract }) => contract);
  if (held) throw new ContractRefused(held.name);
}
