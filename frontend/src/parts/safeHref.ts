/**
 * An address from the catalog, if a browser may follow it: everything there is
 * written by strangers, so that javascript:, data: and the like are refused.
 */
export function safeHref(address: string | undefined): string | undefined {
  if (!address) return undefined;
  let url: URL;
  try {
    url = new URL(address.trim());
  } catch {
    return undefined;
  }
  return ['https:', 'http:', 'mailto:', 'slack:', 'tel:'].includes(url.protocol) ? url.href : undefined;
}
