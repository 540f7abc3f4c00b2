import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { buffer, text as stringOf } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backupName } from "../../backup/names";
import { binariesOf } from "../../embedded/majors";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { Objects } from "../../local/cloud/s3/objects";
import type { AccessKey } from "../../local/cloud/signature";
import { readRestoreCheck } from "../../report/restore-check";
import { clientMajor, fileKeyOf, KEYS } from "../backup/pod";
import { Cli, endedSteps, ownHistory } from "./cli";

const MAJOR = clientMajor();

/** A test that takes a minute; `npm run test:long` runs it. */
const long = test.runIf(process.env["TEST_LONG"]);

describe
  .skipIf(MAJOR === undefined)
  .sequential(
    `backup.mode: dump on the local cloud, by pg_dump ${MAJOR ?? "(skipped: it is not on PATH)"}`,
    { timeout: 300_000 },
    () => {
      const cli = new Cli(2);
      const commandLines = new Set<string>();
      const before = process.env["LOCAL_POSTGRES"];
      beforeAll(async () => {
        // The server must not be newer than the pg_dump of this machine.
        process.env["LOCAL_POSTGRES"] = (await binariesOf(MAJOR!)).directory;
        cli.set("backup.mode", "dump");
        cli.set("backup.restore", "");
        cli.set("backup.image", `postgres:${MAJOR}-alpine`);
        cli.set(
          "backup.dump",
          `{to: s3://notes-backups/local, recipients: [${KEYS[0].recipient}], secret: {name: notes-store}}`,
        );
      });
      afterAll(async () => {
        if (before === undefined) delete process.env["LOCAL_POSTGRES"];
        else process.env["LOCAL_POSTGRES"] = before;
        await cli.end();
      }, 60_000);

      const watched = async (...words: string[]) => {
        const watch = setInterval(() => {
          for (const line of execFileSync("ps", ["-eo", "args="], { encoding: "utf8", maxBuffer: 64e6 }).split("\n"))
            commandLines.add(line);
        }, 100);
        try {
          return await cli.run(...words);
        } finally {
          clearInterval(watch);
        }
      };

      test("a full store ends the release before the migration; the same command goes on when there is room", async () => {
        await cli.run("fault", "store-full");
        const failed = await watched("up");
        expect(failed.status).toBe(1);
        expect(failed.stdout).toContain("FAILED (store-full)");
        expect(failed.stdout).toContain("no migration is applied");
        await cli.run("fault", "none");
        const ran = await watched("up", "--json");
        expect(ran.status).toBe(0);
        const { backup, snapshot } = await cli.outputs();
        expect(snapshot).toBeNull();
        expect(backup).toMatchObject({ kind: "dump", checksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
        const [page] = readdirSync(cli.reports);
        expect(readFileSync(join(cli.reports, page!), "utf8")).toContain((backup as { location: string }).location);
      });

      test("a release of only a new image takes no dump, and names the one before", async () => {
        const { backup } = await cli.outputs();
        const ran = await cli.run("up", "--json", "--config", "app.image=notes:1.1.0");
        expect(ran.status).toBe(0);
        expect(endedSteps(ran, "Job").filter(({ name }) => name.includes("dump"))).toEqual([]);
        expect((await cli.outputs())["backup"]).toEqual(backup);
      });

      long(
        "old dumps go after a release that has made one, by a Job in the cluster; a plan shows them before",
        async () => {
          const store = new Objects(join(cli.cloudDir(), "s3"));
          const { backup } = (await cli.outputs()) as { backup: { id: string } };
          const key = (name: string, ending: string) => `local/${name}${ending}`;
          const text = await stringOf(store.read("notes-backups", key(backup.id, ".manifest.json")));
          const old = backupName({ project: "release", stack: "local", app: "notes" }, "0".repeat(64), 1);
          const begunAt = new Date(Date.now() - 40 * 86_400_000).toISOString();
          const manifest = { ...JSON.parse(text), file: `${old}.dump.age`, begunAt };
          manifest.migrations.fingerprint = "0".repeat(64);
          await store.put("notes-backups", key(old, ".manifest.json"), Readable.from([JSON.stringify(manifest)]));
          await store.put("notes-backups", key(old, ".dump.age"), Readable.from(["x"]));
          const kept = () => store.keys("notes-backups", "local/").filter((each) => each.endsWith(".dump.age"));
          cli.set("backup.keep.last", "2");
          const plan = await cli.run("ops", "prune", "--plan", "--except", old);
          expect(plan.status, plan.stderr).toBe(0);
          expect(plan.stdout).toContain("Dumps in s3://notes-backups/local: 0 backups would go, 2 stay.");
          cli.addMigration(ownHistory()[2]!);
          const ran = await watched("up");
          expect(ran.status, ran.stdout).toBe(0);
          expect(ran.stdout).toContain(`Removed 1 old backup: ${old}`);
          const made = ((await cli.outputs()) as { backup: { id: string } }).backup;
          expect(kept().sort()).toEqual([backup.id, made.id].map((id) => key(id, ".dump.age")).sort());
          const left = ["Job", "ConfigMap"].flatMap((kind) =>
            listObjects(cli.cloudDir(), { kind, namespace: "default" }),
          );
          expect(left.filter(({ metadata }) => metadata.name.includes("-ops-"))).toEqual([]);
        },
      );

      long("the command of the release's output restores the dump beside the source", async () => {
        const { restore } = await cli.outputs();
        expect(restore).toMatch(/restore .*--stack \S+ --to release\.local\/\S+ --identity FILE$/);
        const identity = join(cli.home, "notes-backup.key");
        writeFileSync(identity, `${KEYS[0].identity}\n`);
        const planned = await cli.run("restore", "--plan");
        expect(planned.status, planned.stderr).toBe(0);
        expect(planned.stdout).toContain("pg_restore --dbname=");
        const made = await watched("restore", "--identity", identity, "--no-verify", "--json");
        expect(made.status, made.stdout + made.stderr).toBe(0);
        expect(made.events.at(-1)).toMatchObject({ event: "restored", differences: [] });
        const left = ["Job", "Secret", "ConfigMap"].flatMap((kind) =>
          listObjects(cli.cloudDir(), { kind, namespace: "default" }).map(({ metadata }) => metadata.name),
        );
        expect(left.filter((name) => /-ops-/.test(name))).toEqual([]);
      });

      long("a check restores, verifies and removes it; the page of the next release has the time", async () => {
        const identity = join(cli.home, "notes-backup.key");
        const checked = await watched("restore", "check", "--identity", identity, "--json");
        expect(checked.status, checked.stdout + checked.stderr).toBe(0);
        expect(checked.events.at(-1)).toMatchObject({ event: "checked", backup: expect.stringContaining("dump ") });
        const map = listObjects(cli.cloudDir(), { kind: "ConfigMap", namespace: "default" }).find(
          ({ metadata }) => metadata.name === "notes-restore-check",
        );
        expect(readRestoreCheck(map?.["data"])).toMatchObject({ result: "restored" });
        await cli.run("up", "--json", "--config", "app.image=notes:1.2.0");
        const pages = readdirSync(cli.reports).map((name) => readFileSync(join(cli.reports, name), "utf8"));
        expect(pages.filter((page) => page.includes("| ✅ | Recovery time | "))).toHaveLength(1);
      });

      test("no key and no password is printed, in a file but the stores of secrets, or on a command line", async () => {
        const file = join(cli.cloudDir(), "s3/credentials.json");
        const { secretAccessKey } = JSON.parse(readFileSync(file, "utf8")) as AccessKey;
        const passwords = join(cli.cloudDir(), "aws/instances/notes-db/credentials.json");
        const { location } = (await cli.outputs())["backup"] as { location: string };
        const objects = new Objects(join(cli.cloudDir(), "s3"));
        const dump = await buffer(objects.read("notes-backups", location.replace("s3://notes-backups/", "")));
        const fileKey = await fileKeyOf(dump.toString("base64"), KEYS[0].identity);
        const keys = [KEYS[0].identity, Buffer.from(fileKey).toString("base64")];
        const secrets = [
          secretAccessKey,
          ...keys,
          ...Object.values(JSON.parse(readFileSync(passwords, "utf8")) as object),
        ].map(String);
        const forms = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("base64").slice(0, -4)]);
        const holds = (text: string) => forms.some((form) => text.includes(form));
        expect([...commandLines].some((line) => line.includes("pg_dump --format=custom"))).toBe(true);
        expect([...commandLines, ...cli.printed].filter(holds)).toEqual([]);
        const stackDir = dirname(cli.cloudDir());
        const found: string[] = [];
        for (const entry of readdirSync(stackDir, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile()) continue;
          const path = join(entry.parentPath, entry.name);
          const name = relative(stackDir, path).split(sep).join("/");
          if (/^cloud\/kubernetes\/secrets\/|(^|\/)credentials\.json$/.test(name)) continue;
          if (holds(readFileSync(path, "latin1"))) found.push(name);
        }
        expect(found).toEqual([]);
      });
    },
  );
