/** The namespace of a release's settings, such as `release:app`, in a program that chooses no other one. */
const NAMESPACE = "release";

/** The sections that the settings of every release have. */
const REQUIRED = ["app", "database", "migrations"];

/**
 * Returns the namespace in which a stack's configuration contains the settings of the release: `release`, so that the
 * project's own keys can have any name; or the project's name, if only that one has such settings.
 *
 * @param keys the qualified keys of the configuration, such as `release:app`
 */
export function settingsNamespace(project: string, keys: Iterable<string>): string {
  const all = [...keys];
  if (all.some((key) => key.startsWith(`${NAMESPACE}:`))) return NAMESPACE;
  return REQUIRED.some((section) => all.includes(`${project}:${section}`)) ? project : NAMESPACE;
}
