/**
 * What a person pastes, as the target of a location: an address with or without
 * url: before it, or file:PATH. Undefined if it is neither.
 */
export function targetOf(pasted: string): string | undefined {
  const text = pasted.trim();
  if (/^file:.+/.test(text)) return text;
  const address = text.replace(/^url:/, '');
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  return `url:${url.href}`;
}
