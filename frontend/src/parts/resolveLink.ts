/** An address in a file of a repository: what is relative belongs to the file's own address. */
export function resolveLink(href: string | undefined, base: string | undefined): string | undefined {
  if (!href) return undefined;
  // Sanitising puts this before the names of places in the text.
  const wanted = href.replace(/^#user-content-/, '#');
  try {
    return new URL(wanted, base).href;
  } catch {
    return undefined;
  }
}
