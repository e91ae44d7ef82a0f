import type { AnyRouter } from '@tanstack/react-router';

/** Until the pointer rests on a link: who only passes by loads nothing. */
const rest = 50; // ms

const linkAt = (target: EventTarget | null) =>
  target instanceof Element ? target.closest<HTMLAnchorElement>('a[data-link]') : null;

/**
 * Makes plain links (see entity/href) lead without loading the portal anew, and loads what they
 * lead to once the pointer or the focus rests on them. What opens another tab is left to the browser.
 */
export function followLinks(router: AnyRouter): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const prepare = (link: HTMLAnchorElement | null, wait: number) => {
    clearTimeout(timer);
    if (link) timer = setTimeout(() => void router.preloadRoute({ to: link.getAttribute('href') ?? '' }), wait);
  };
  const over = (e: PointerEvent) => prepare(linkAt(e.target), rest);
  const focus = (e: FocusEvent) => prepare(linkAt(e.target), rest);
  const down = (e: PointerEvent) => prepare(linkAt(e.target), 0);
  const click = (e: MouseEvent) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const link = linkAt(e.target);
    if (!link) return;
    e.preventDefault();
    router.history.push(link.getAttribute('href') ?? '');
  };
  document.addEventListener('pointerover', over);
  document.addEventListener('pointerdown', down);
  document.addEventListener('focusin', focus);
  document.addEventListener('click', click);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('pointerover', over);
    document.removeEventListener('pointerdown', down);
    document.removeEventListener('focusin', focus);
    document.removeEventListener('click', click);
  };
}
