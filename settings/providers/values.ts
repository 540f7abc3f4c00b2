import { z } from "zod";

/** The text `true` or `false`, as Pulumi passes a boolean of a provider to its program. */
export const flag = z
  .union([z.boolean(), z.literal(["true", "false"])], { error: () => "true or false" })
  .transform((value) => value === true || value === "true");

/** A whole number that is not negative. Pulumi passes it as text. */
export const count = z
  .union([z.number().int().min(0), z.string().regex(/^\d{1,9}$/)], { error: () => "a whole number, 0 or more" })
  .transform(Number);

/** A text that is not empty. A value that YAML reads as a number is accepted as its digits. */
export const word = z
  .union([z.string().min(1), z.number()], { error: () => "a text that is not empty" })
  .transform(String);

/** A list of texts. */
export const words = z.array(word, { error: () => "a list of texts" });

/** Names with a text each. */
export const texts = z.record(z.string(), word, { error: () => "names with a text each" });
