/** Begins with a capital, unless it begins with the name of something, such as spec.owner or "x". */
export function sentence(text: string): string {
  return /^[a-z]+[\s,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
