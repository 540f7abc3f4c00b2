import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { parseDuration } from "../../text/short-duration";
import type { Properties } from "../cloud/provider";
import type { Timeouts } from "./state";

/** The desired state of one resource: the program's registration request, parsed. */
export interface Goal {
  type: string;
  name: string;
  custom: boolean;
  parent: string;
  properties: Properties;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  /** The reference of an explicit provider; empty for the default provider. */
  provider: string;
  /** The version of the package's SDK, which is part of the default provider's name. */
  version: string;
  protect?: boolean | undefined;
  retainOnDelete?: boolean | undefined;
  deleteBeforeReplace?: boolean | undefined;
  ignoreChanges: string[];
  /** The id of an existing resource to import; empty for none. */
  importId: string;
  replaceOnChanges: string[];
  additionalSecretOutputs: string[];
  customTimeouts?: Timeouts | undefined;
  deletedWith: string;
  /** The names of the hooks that may ask to retry a failed operation. */
  onError: string[];
  /** The resource's earlier URNs. The SDK computes them and includes earlier names of its parents. */
  aliases: string[];
}

/**
 * Parses a registration request.
 * @throws Error when the program uses a feature that this engine does not support
 */
export function parseGoal(request: RegisterResourceRequest): Goal {
  const what = `${request.getType()} ${request.getName()}`;
  const refuse = (feature: string): never => {
    throw new Error(`${what}: the embedded engine does not support ${feature}. Use the Pulumi CLI for this program.`);
  };
  if (request.getRemote()) refuse("components of other languages");
  if (request.getTransformsList().length > 0) refuse("transforms");
  if (request.hasReplacementTrigger()) refuse("replacementTrigger");
  const defined = request.getDeletebeforereplacedefined() || request.getDeletebeforereplace();
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: request.getParent(),
    properties: (request.getObject()?.toJavaScript() ?? {}) as Properties,
    dependencies: request.getDependenciesList(),
    propertyDependencies: Object.fromEntries(
      request
        .getPropertydependenciesMap()
        .getEntryList()
        .map(([key]) => [key, request.getPropertydependenciesMap().get(key)?.getUrnsList() ?? []]),
    ),
    provider: request.getProvider(),
    version: request.getVersion(),
    protect: request.hasProtect() ? request.getProtect() : undefined,
    retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
    deleteBeforeReplace: defined ? request.getDeletebeforereplace() : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    importId: request.getImportid(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    customTimeouts: parseTimeouts(request.getCustomtimeouts()),
    deletedWith: request.getDeletedwith(),
    onError: request.getHooks()?.getOnErrorList() ?? [],
    aliases: request.getAliasurnsList(),
  };
}

function parseTimeouts(timeouts: RegisterResourceRequest.CustomTimeouts | undefined): Timeouts | undefined {
  const parsed: Timeouts = {};
  if (timeouts?.getCreate()) parsed.create = seconds(timeouts.getCreate());
  if (timeouts?.getUpdate()) parsed.update = seconds(timeouts.getUpdate());
  if (timeouts?.getDelete()) parsed.delete = seconds(timeouts.getDelete());
  return Object.keys(parsed).length > 0 ? parsed : undefined;
}

/** Parses a duration in Go's notation, such as `1h30m` or `2.5s`. @returns seconds @throws Error for other text */
function seconds(duration: string): number {
  const milliseconds = duration === "0" ? 0 : parseDuration(duration);
  if (milliseconds === undefined)
    throw new Error(`customTimeouts: "${duration}" is not a duration such as "5m" or "1h30m"`);
  return milliseconds / 1000;
}
