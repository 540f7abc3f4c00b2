import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Configuration } from "./configuration";
import { podDirectory, secretMountsDirectory } from "./pod-directory";
import type { Container, DownwardItems, Pod, Volume, VolumeItems } from "./pod-types";
import { kubernetesDirectory } from "./store";

/**
 * Writes a pod's volumes to folders of its own; that of a PersistentVolumeClaim is shared by all pods that mount it. Files from a Secret are written below the Secrets' folder with mode
 * 0600, so that no other file of this cloud contains a secret.
 * @throws MissingReference when an object does not exist yet
 */
export function writeVolumes(cloudDir: string, pod: Pod, configuration: Configuration): void {
  for (const volume of pod.spec.volumes ?? []) {
    const folder = volumeFolder(cloudDir, pod, volume);
    if (volume.persistentVolumeClaim) {
      configuration.checkClaim(volume.persistentVolumeClaim.claimName);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      continue;
    }
    if (volume.emptyDir && existsSync(folder)) continue;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [path, content] of filesOf(volume, configuration)) {
      const file = join(folder, inside(path));
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, content, { mode: holdsSecrets(volume) ? 0o600 : 0o644 });
    }
  }
}

/** Maps each mount path of a container to its real path, in a folder with links to the pod's volumes. */
export function writeMounts(cloudDir: string, pod: Pod, container: Container): PathMapping {
  const root = join(podDirectory(cloudDir, pod.metadata), "mounts", container.name);
  rmSync(root, { recursive: true, force: true });
  const mounts = (container.volumeMounts ?? []).map((mount) => {
    const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
    if (!volume) throw new Error(`volume "${mount.name}" of container "${container.name}" is not defined`);
    const target = join(volumeFolder(cloudDir, pod, volume), inside(mount.subPath ?? ""));
    const path = join(root, inside(mount.mountPath));
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (mount.subPath && volume.emptyDir) mkdirSync(target, { recursive: true, mode: 0o700 });
    symlinkSync(target, path);
    return { mountPath: normalize(mount.mountPath).replace(/\/$/, ""), path };
  });
  return new PathMapping(mounts);
}

export function removeVolumes(cloudDir: string, pod: Pod): void {
  rmSync(secretMountsDirectory(cloudDir, pod.metadata), { recursive: true, force: true });
}

/** Containers have no file system of their own here, so mount paths in their commands and variables are rewritten. */
export class PathMapping {
  constructor(private readonly mounts: { mountPath: string; path: string }[]) {
    // The longest path comes first, so that a mount inside another one takes precedence.
    mounts.sort((a, b) => b.mountPath.length - a.mountPath.length);
  }

  /** Maps texts such as `/release/migrator.cjs`, `--payload=/release` and, for a shell, `node /release/x.cjs`. */
  map(text: string): string {
    if (this.mounts.length === 0) return text;
    // All paths are replaced in one pass, because a real path may contain another mount path, such as /tmp.
    const paths = this.mounts.map(({ mountPath }) => escapePattern(mountPath)).join("|");
    const pattern = new RegExp(`(^|[\\s=:,("'])(${paths})(?=$|[/\\s"':,;)])`, "g");
    return text.replace(pattern, (_, before: string, found: string) => {
      const { path } = this.mounts.find(({ mountPath }) => mountPath === found)!;
      return before + inText(path, text, before);
    });
  }
}

/** A path for use in a text. A shell splits its text at spaces, so they are escaped unless the path is in quotes. */
function inText(path: string, text: string, before: string): string {
  const isShellText = /\s/.test(text) && before !== '"' && before !== "'";
  return isShellText ? path.replace(/[^A-Za-z0-9/._-]/g, "\\$&") : path;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A relative path that can't leave its folder. */
function inside(path: string): string {
  return normalize(`/${path}`).slice(1);
}

function volumeFolder(cloudDir: string, pod: Pod, volume: Volume): string {
  const { claimName } = volume.persistentVolumeClaim ?? {};
  if (claimName !== undefined)
    return join(kubernetesDirectory(cloudDir), "claims", pod.metadata.namespace ?? "default", inside(claimName));
  return holdsSecrets(volume)
    ? join(secretMountsDirectory(cloudDir, pod.metadata), inside(volume.name))
    : join(podDirectory(cloudDir, pod.metadata), "volumes", inside(volume.name));
}

function holdsSecrets(volume: Volume): boolean {
  return (
    volume.secret !== undefined ||
    volume.csi !== undefined ||
    volume.emptyDir?.medium === "Memory" ||
    (volume.projected?.sources.some(({ secret }) => secret) ?? false)
  );
}

function filesOf(volume: Volume, configuration: Configuration): [string, Buffer][] {
  if (volume.secret)
    return select(configuration.secret(volume.secret.secretName, volume.secret.optional), volume.secret);
  if (volume.configMap)
    return select(configuration.configMap(volume.configMap.name, volume.configMap.optional), volume.configMap);
  if (volume.csi) return [...configuration.secretProviderClass(volume.csi)];
  if (volume.downwardAPI) return downward(volume.downwardAPI, configuration);
  return (volume.projected?.sources ?? []).flatMap(({ secret, configMap, downwardAPI }): [string, Buffer][] => {
    if (secret) return select(configuration.secret(secret.name, secret.optional), secret);
    if (configMap) return select(configuration.configMap(configMap.name, configMap.optional), configMap);
    return downwardAPI ? downward(downwardAPI, configuration) : [];
  });
}

function select(data: Map<string, Buffer>, { items }: VolumeItems): [string, Buffer][] {
  if (!items) return [...data];
  return items.flatMap(({ key, path }) => {
    const value = data.get(key);
    return value === undefined ? [] : [[path, value] as [string, Buffer]];
  });
}

function downward({ items = [] }: DownwardItems, configuration: Configuration): [string, Buffer][] {
  return items.map(({ path, fieldRef }) => [path, Buffer.from(configuration.field(fieldRef?.fieldPath ?? ""))]);
}
