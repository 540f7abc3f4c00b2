import { z } from "zod";

/** The text `true` or `false`, as Pulumi passes a boolean of a provider to its program. */
export const flag = z
  .union([z.boolean(), z.literal(["true", "false"])], { error: () => "true or false" })
  .transform((value) => value === true || value === "true");

const COUNT = "a whole number, 0 or more";

/** A whole number that is not negative. Pulumi passes it as text. */
export const count = z
  .union([z.number(), z.string()], { error: () => COUNT })
  .refine((given) => /^\d{1,9}$/.test(String(given)), COUNT)
  .transform(Number);

/** A text that is not empty. A value that YAML reads as a number is accepted as its digits. */
export const word = z
  .union([z.string(), z.number()], { error: () => "a text" })
  .refine((given) => given !== "", "not empty")
  .transform(String);

/** A list of texts. */
export const words = z.array(word, { error: () => "a list of texts" });

/** Names with a text each. */
export const texts = z.record(z.string(), word, { error: () => "names with a text each" });
