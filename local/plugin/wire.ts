import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Json, type Properties, UNKNOWN } from "../cloud/provider";

/**
 * Property values in the Pulumi protocol (sdk/go/common/resource/plugin/rpc.go) express what JSON can't as objects with
 * a signature. A provider only uses plain JSON, so these objects are converted when they are read.
 */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSETS = new Set(["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"]);

/** The protocol's texts for unknown values, one per type. A provider only uses one of them. */
const UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/**
 * Converts received properties for a provider: secrets lose their mark (the engine remembers it), and every unknown
 * value becomes {@link UNKNOWN}.
 *
 * @throws Error for an asset or archive, because no provider here accepts files
 */
export function readProperties(struct: Struct | undefined): Properties {
  return readObject((struct?.toJavaScript() ?? {}) as Properties);
}

/** Reads the old properties; undefined for an empty struct, which the engine sends if there were none. */
export function readOlds(struct: Struct | undefined): Properties | undefined {
  const olds = readProperties(struct);
  return Object.keys(olds).length === 0 ? undefined : olds;
}

export function writeProperties(properties: Properties): Struct {
  return Struct.fromJavaScript(properties as { [key: string]: JavaScriptValue });
}

function readObject(value: Properties): Properties {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, read(item)]));
}

function read(value: Json): Json {
  if (typeof value === "string") return UNKNOWNS.has(value) ? UNKNOWN : value;
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  const signature = value[SIGNATURE];
  if (signature === SECRET) return read(value["value"] ?? null);
  if (signature === OUTPUT_VALUE) return value["value"] === undefined ? UNKNOWN : read(value["value"]);
  if (signature === RESOURCE_REFERENCE) return read(value["id"] ?? value["urn"] ?? null);
  if (typeof signature === "string" && ASSETS.has(signature)) {
    throw new Error("The local cloud takes no files (assets or archives) as inputs. Nothing was changed.");
  }
  return readObject(value);
}
