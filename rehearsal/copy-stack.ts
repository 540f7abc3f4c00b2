import { CommandFailure, EXIT } from "../by-hand/failure";
import type { Kubectl } from "../by-hand/kubectl";
import type { CommandStack } from "../by-hand/stack";
import { changesOf } from "../restore/switch/changes";
import { isSame, postgresUrl, withDatabase } from "../restore/switch/moved-url";
import { makeSecrets, type PlannedSecret, planSecrets, readSecret } from "../restore/switch/secrets";
import { rawSettings, withSettings } from "../restore/switch/stack";
import type { IntoSecret, Move, RestoredCopy } from "../restore/target";
import type { EnvironmentSettings } from "../settings/schema";
import { type RehearsalStack, rehearsalSecretName } from "./stack";
import { onServerOf } from "./target";

/** What is known of a copy. */
interface CopyArgs {
  readonly kubectl: Kubectl;
  readonly stack: RehearsalStack;
  /** The namespace of the stack's settings in its configuration. */
  readonly namespace: string;
  readonly copy: RestoredCopy;
  /** The server of `rehearsal.into`, if the copy is a database on it. */
  readonly into: IntoSecret | undefined;
  /** What leads from production to the copy; undefined for a copy on another server. */
  readonly move: Move | undefined;
}

/**
 * Makes the rehearsal's own Secret, and returns the stack with the settings that lead to the copy by it. The app's own
 * Secrets are only read. Nothing of the stack that is returned leads to production.
 * @throws CommandFailure if the connection can't be made to lead to the copy alone
 */
export async function copyStack(args: CopyArgs): Promise<CommandStack> {
  const stack = args.move ? await movedStack(args, args.move) : await stackOnServer(args);
  const { migrations, database } = stack.settings;
  const own = new Set([database.secret?.name, database.migration.secret.name]);
  refuseOtherSecrets(migrations.env ?? {}, own);
  // No value of a row may be seen, whatever the settings say of production.
  return { ...stack, settings: { ...stack.settings, migrations: { ...migrations, showValues: false } } };
}

async function movedStack({ kubectl, stack, namespace }: CopyArgs, move: Move): Promise<CommandStack> {
  const { database, app, migrations } = stack.settings;
  if (isSame(move.source.endpoint, move.copy.endpoint))
    throw refused(`The copy has the address of its source, ${move.copy.endpoint.host}:${move.copy.endpoint.port}.`);
  const name = rehearsalSecretName(app.name);
  const secrets = await planSecrets(kubectl, database, name, move);
  await makeSecrets(kubectl, secrets, { app: app.name, copy: name, component: "rehearsal" });
  const changes = changesOf({
    ...{ raw: rawSettings(stack, namespace), settings: stack.settings, move, attempt: undefined, image: undefined },
    secrets: new Map(secrets.map(({ of, name: made }) => [of, made])),
    until: migrations.until,
  });
  return withSettings(stack, namespace, changes);
}

/** Returns the stack with one Secret that leads to a database on the server of `rehearsal.into`. */
async function stackOnServer({ kubectl, stack, copy, into }: CopyArgs): Promise<CommandStack> {
  if (!into) throw new Error("A copy on another server has the Secret of rehearsal.into.");
  const { app } = stack.settings;
  const text = (await readSecret(kubectl, into.secret))?.data?.[into.key];
  const url = text === undefined ? undefined : postgresUrl(Buffer.from(text, "base64").toString("utf8").trim());
  if (!url) throw refused(`Secret ${into.secret} has no connection string of Postgres in its key ${into.key}.`);
  const data = { url: Buffer.from(withDatabase(url, copy.name).toString()).toString("base64") };
  const name = rehearsalSecretName(app.name);
  const moved = { data, moved: ["url"], kept: [], notes: [], problems: [] };
  const secret: PlannedSecret = { of: into.secret, name, type: "Opaque", moved };
  await makeSecrets(kubectl, [secret], { app: app.name, copy: name, component: "rehearsal" });
  return onServerOf(stack, { secret: name, key: "url" });
}

/** @throws CommandFailure if the variables of `migrations.env` refer to a Secret that may lead to production */
function refuseOtherSecrets(env: EnvironmentSettings, own: ReadonlySet<string | undefined>): void {
  const others = Object.entries(env).flatMap(([name, value]) =>
    typeof value === "object" && "secret" in value && !own.has(value.secret.name)
      ? [`migrations.env.${name} refers to Secret ${value.secret.name}, which may lead to production.`]
      : [],
  );
  if (others.length > 0) throw refused(others.join("\n  "));
}

function refused(what: string): CommandFailure {
  return new CommandFailure(
    EXIT.usage,
    what,
    "production is untouched.",
    "see to what it says, then the same command again",
  );
}
