import type { StepEvent } from "../../local/engine/events";
import { until } from "./expect";
import { kubectl, list } from "./kubectl";
import type { World } from "./world";

/** The step that runs the migration's Job has begun. */
export const migrationRuns = ({ type, name, status }: StepEvent): boolean =>
  status === "started" && type.endsWith(":Job") && name.includes("-migrate-");

/** The pod of the running migration, by name; waits until its statements run. */
export async function migrationPod(world: World): Promise<string> {
  let name: string | undefined;
  await until(async () => {
    const pods = await list(world.namespace, "pods");
    const pod = pods.find(
      ({ metadata, status }) =>
        metadata.name.includes("-migrate-") && status.phase === "Running" && !metadata.deletionTimestamp,
    );
    name = pod?.metadata.name;
    return name !== undefined;
  }, 60);
  await until(async () => (await world.query(SLEEPING)).length > 0, 60);
  return name!;
}

const SLEEPING =
  "SELECT query AS text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";

export async function deleteMigrationJob(world: World): Promise<void> {
  const pod = await migrationPod(world);
  const job = pod.slice(0, pod.lastIndexOf("-"));
  await kubectl(["delete", "job", job, "--namespace", world.namespace, "--wait=false"]);
}

export async function deleteMigrationPod(world: World): Promise<void> {
  await kubectl(["delete", "pod", await migrationPod(world), "--namespace", world.namespace, "--wait=false"]);
}

/** Evicts the migration's pod through the Eviction API, as a drain of its node does; gives its name. */
export async function evictMigrationPod(world: World): Promise<string> {
  const name = await migrationPod(world);
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: world.namespace } };
  const path = `/api/v1/namespaces/${world.namespace}/pods/${name}/eviction`;
  await kubectl(["create", "--raw", path, "--filename", "-"], JSON.stringify(eviction));
  return name;
}
