import { PG_RESTORE } from "../../backup/restore-pod";
import { COPY_PLACEHOLDER } from "../../backup/restoring/look";
import type { CommandStack } from "../../by-hand/stack";
import type { DumpSettings } from "../../components/dump-pod";
import { shellWord } from "../../text/shell-word";
import type { IntoSecret, PlannedCall } from "../target";
import type { SeenDump } from "./seen-dump";

/** Where a dump is restored to. */
interface Destination {
  readonly copy: string;
  readonly stack: CommandStack<"backup">;
  readonly backup: DumpSettings;
  readonly into: IntoSecret | undefined;
  readonly place: string;
}

/** Returns every call of a restore: the statements, the objects in the cluster, and the command line of `pg_restore`. */
export function plannedCalls(look: SeenDump, destination: Destination): PlannedCall[] {
  const { copy, into } = destination;
  const mark = (state: string) =>
    `COMMENT ON DATABASE ${copy} IS 'postgres-release restore {"dump":"${look.dump}","state":"${state}",…}'`;
  const sql = (what: string, typed: string) => ({
    what,
    operation: typed
      .split(" ", 3)
      .slice(0, typed.startsWith("COMMENT") ? 3 : 2)
      .join(" "),
    parameters: {},
    typed,
    until: null,
  });
  return [
    ...(into
      ? []
      : [
          sql(
            "creates the second database; nobody may connect yet",
            look.creation.replace(`"${COPY_PLACEHOLDER}"`, copy),
          ),
        ]),
    sql("marks it as unfinished", mark("restoring")),
    ...(into
      ? []
      : [sql("lets sessions in", `ALTER DATABASE ${copy} WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1`)]),
    ...(look.header === undefined ? [] : [secretCall(destination)]),
    jobCall(look, destination),
    sql("marks it as complete", mark("complete")),
  ];
}

function secretCall({ stack }: Destination): PlannedCall {
  const { namespace, app } = stack.settings;
  return {
    what: "gives the Job's pod the key of this one file; it is deleted with the Job",
    operation: "Secret",
    parameters: { namespace, name: `${app.name}-ops-restore-…-key`, keys: "file-key" },
    typed: "# the key is decrypted here, by the private key of --identity, which goes nowhere",
    until: null,
  };
}

function jobCall({ manifest, header }: SeenDump, { stack, backup, copy, into, place }: Destination): PlannedCall {
  const { namespace, app, migrations } = stack.settings;
  const bucket = place.startsWith("s3://");
  const endpoint = backup.dump.endpoint === undefined ? "" : `--endpoint-url ${backup.dump.endpoint} `;
  const file = `${place}/${manifest.file}`;
  const read = bucket ? `aws ${endpoint}s3 cp ${shellWord(file)} -` : `cat ${shellWord(manifest.file)}`;
  const [, ...options] = PG_RESTORE;
  const words = options.map((word) =>
    word.startsWith("--dbname=") ? `--dbname=${shellWord(into ? "$NEW_DATABASE_URL" : copy)}` : word,
  );
  return {
    what: "reads the dump, decrypts it, and passes it to pg_restore in its pod; its sha-256 is compared with the manifest's",
    operation: "Job",
    parameters: {
      namespace,
      name: `${app.name}-ops-restore-…`,
      images: [migrations.image, backup.image],
      file,
      bytes: manifest.fileBytes,
      checksum: manifest.checksum,
    },
    typed: [read, ...(header === undefined ? [] : ["age -d -i KEY"]), `pg_restore ${words.join(" ")}`].join(" | "),
    until: "pg_restore has ended well",
  };
}
