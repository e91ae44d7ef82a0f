import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import { explicit } from './selection';
import type { CatalogView } from './useCatalog';
import { type RowsInput, wordsQuery } from './useRows';

/** How long the address waits for the answer. */
const patience = 150; // ms

/**
 * Searches for other words. The server is asked at once, and the address says the words when the answer is
 * there: so a key press draws the page once, with the results, and not once before with those of the words
 * before. An answer that takes its time is not waited for, nor one that nobody wants any more.
 */
export function useSearching(input: RowsInput, set: CatalogView['set']): (words: string) => void {
  const client = useQueryClient();
  const { filter, fields } = input;
  const wanted = useRef<string>(undefined);
  useEffect(
    () => () => {
      wanted.current = undefined; // the reader went elsewhere
    },
    [],
  );
  return useCallback(
    (words) => {
      const before = wanted.current;
      wanted.current = words;
      if (before?.trim())
        void client.cancelQueries({ queryKey: wordsQuery(before, filter, fields).queryKey, exact: true });
      const tell = () => {
        if (wanted.current === words && /^\/catalog\/?$/.test(window.location.pathname))
          set((now) => ({ ...explicit(now), q: words || undefined }));
      };
      if (!words.trim()) return tell();
      const late = new Promise((done) => setTimeout(done, patience));
      void Promise.race([client.prefetchInfiniteQuery(wordsQuery(words, filter, fields)), late]).then(tell);
    },
    [client, filter, fields, set],
  );
}
