import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { exactTime } from '~/parts/Time';

/** Until the mouse rests: who only passes by reads nothing. */
const rest = 150; // ms

const told = '[data-tip], time[datetime]';

function wordsOf(target: HTMLElement): string {
  if (target.dataset.tip) return target.dataset.tip;
  return target instanceof HTMLTimeElement ? exactTime(new Date(target.dateTime)) : '';
}

/**
 * The one tooltip. It shows the words of whatever is pointed at (see parts/tip), and of a time the exact
 * one: a list of many needs no tooltip for each, and none of this is part of the first load.
 */
export default function Tips() {
  const [target, setTarget] = useState<HTMLElement | null>(null);
  const [words, setWords] = useState('');

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (at: EventTarget | null, wait: number) => {
      clearTimeout(timer);
      const next = at instanceof Element ? at.closest<HTMLElement>(told) : null;
      if (next) timer = setTimeout(() => setTarget(next), wait);
      else setTarget(null);
    };
    const over = (e: PointerEvent) => e.pointerType !== 'touch' && show(e.target, rest);
    const focus = (e: FocusEvent) =>
      e.target instanceof Element && e.target.matches(':focus-visible') && show(e.target, 0);
    const end = () => show(null, 0);
    const key = (e: KeyboardEvent) => e.key === 'Escape' && end();
    document.addEventListener('pointerover', over);
    document.documentElement.addEventListener('pointerleave', end);
    document.addEventListener('focusin', focus);
    document.addEventListener('focusout', end);
    document.addEventListener('keydown', key);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('pointerover', over);
      document.documentElement.removeEventListener('pointerleave', end);
      document.removeEventListener('focusin', focus);
      document.removeEventListener('focusout', end);
      document.removeEventListener('keydown', key);
    };
  }, []);

  // They may change while they are read: "Copy" becomes "Copied".
  useEffect(() => {
    if (!target) return;
    const read = () => setWords(wordsOf(target));
    read();
    const observer = new MutationObserver(read);
    observer.observe(target, { attributes: true, attributeFilter: ['data-tip', 'datetime'] });
    return () => observer.disconnect();
  }, [target]);

  return target && words ? (
    <Tooltip target={target} label={words} opened multiline maw={340} transitionProps={{ duration: 80 }} />
  ) : null;
}
