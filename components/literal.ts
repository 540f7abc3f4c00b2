/**
 * Escapes `$` in an argument or in the value of a variable. Otherwise Kubernetes would replace `$(NAME)` by the value of
 * that environment variable, such as the connection string.
 */
export function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}
