import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { Ref } from '~/entity/ref';
import type { EntitySearch } from '~/router';

/** What a tab keeps in the address, and how to change some of it; what is on no tab of its own says to which it leads. */
export function useTabSearch(ref: Ref, to?: string): [EntitySearch, (change: EntitySearch, replace?: boolean) => void] {
  const search: EntitySearch = useSearch({ strict: false });
  const { tab } = useParams({ strict: false });
  const navigate = useNavigate();
  return [
    search,
    (change, replace = true) =>
      void navigate({
        to: '/catalog/$namespace/$kind/$name/$tab',
        params: { ...ref, tab: to ?? tab ?? 'overview' },
        search: { ...search, ...change },
        replace,
        resetScroll: false,
      }),
  ];
}
