import { isDeepStrictEqual } from "node:util";
import { type Json, type Properties, UNKNOWN } from "../cloud/provider";

/**
 * Property values between program and engine are plain JSON in which a secret is an object with a signature
 * (sdk/go/common/resource/properties.go). Providers receive and return JSON without secrets; the engine marks them
 * again.
 */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";

type JsonObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Json | undefined): value is { [SIGNATURE]: string; value: Json } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

export function secret(value: Json): Json {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value: plain(value) };
}

/** Copies a value and replaces every secret in it by the result of `replace`. */
export function mapSecrets(value: Json, replace: (content: Json) => Json): Json {
  if (isSecret(value)) return replace(value.value);
  if (Array.isArray(value)) return value.map((item) => mapSecrets(item, replace));
  if (isObject(value)) return mapProperties(value, (item) => mapSecrets(item, replace));
  return value;
}

export function mapProperties(properties: Properties, change: (value: Json, key: string) => Json): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, change(value, key)]));
}

function plain(value: Json): Json {
  return mapSecrets(value, plain);
}

export function plainProperties(properties: Properties | undefined): Properties {
  return mapProperties(properties ?? {}, plain);
}

export function containsSecret(value: Json): boolean {
  if (isSecret(value)) return true;
  if (Array.isArray(value)) return value.some(containsSecret);
  return isObject(value) && Object.values(value).some(containsSecret);
}

export function containsUnknown(value: Json): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) && Object.values(value).some(containsUnknown);
}

/** A copy of the value for display: secrets and unknown values are replaced by placeholders. */
export function shown(value: Json): Json {
  if (value === UNKNOWN) return "[unknown]";
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(shown);
  return isObject(value) ? mapProperties(value, shown) : value;
}

/**
 * Marks outputs as secret whose input of the same name is secret, at any depth of objects. Providers return secret
 * inputs as plain outputs (pkg/resource/plugin/provider_plugin.go, `annotateSecrets`).
 */
export function markSecrets(outputs: Properties, inputs: Properties): Properties {
  return mapProperties(outputs, (output, key) => {
    const input = inputs[key];
    if (input === undefined || isSecret(output)) return output;
    if (isObject(output) && isObject(input) && !isSecret(input)) return markSecrets(output, input);
    return containsSecret(input) ? secret(output) : output;
  });
}

export function sameValue(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right);
}
