/** What the Content-Security-Policy of this page lets style elements carry. */
export const nonce =
  (typeof document !== 'undefined' && document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce) ||
  '';
