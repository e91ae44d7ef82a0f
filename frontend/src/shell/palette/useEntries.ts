import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import type { Entity, SearchResult } from '~/api/client';
import { batchQuery, searchQuery } from '~/api/queries';
import { groupTitle } from '~/entity/groupTree';
import { hrefOf } from '~/entity/href';
import { kindOf } from '~/entity/kinds';
import { ownerOf } from '~/entity/read';
import { formatRef, parseRef, refOf, shortRef } from '~/entity/ref';
import { textIn } from '~/entity/text';
import { places } from '../places';
import { useRecent, useStarred } from '../remembered';
import { arrange, type Entry } from './entries';

const fields = 'name,metadata.name,metadata.title,spec.type,spec.profile.displayName,facts';
const placeEntries: Entry[] = places.map((p) => ({ id: `go:${p.to}`, title: p.label, words: p.words, href: p.to }));

/** What the palette shows for what was typed, and whether it is the answer to that already. */
export function useEntries(query: string, actions: Entry[]) {
  const router = useRouter();
  const { starred } = useStarred();
  const recent = useRecent();
  const q = query.trim();
  const search = useQuery(searchQuery(q, { pageSize: 8, fields }));
  const refs = [...new Set([...starred.slice(0, 6), ...recent.slice(0, 12)])].filter((r) => parseRef(r)).sort();
  const remembered = useQuery(batchQuery(refs, fields));
  const known = new Map((remembered.data?.entities ?? []).map((e) => [formatRef(refOf(e)), e]));

  const hrefOfText = (text: string): string => {
    const ref = parseRef(text);
    return ref ? hrefOf(ref) : '';
  };
  const entityEntry = (e: Entity): Entry => {
    const ref = refOf(e);
    const owner = parseRef(ownerOf(e)?.ref ?? '');
    return {
      id: formatRef(ref),
      title: groupTitle(e),
      about: textIn(e.spec, 'type') || kindOf(ref.kind).one,
      end: owner ? shortRef(owner) : undefined,
      kind: ref.kind,
      href: hrefOf(ref),
    };
  };
  // What is gone from the catalog is not offered.
  const rememberedEntries = (list: string[]) =>
    list.flatMap((r) => {
      const e = known.get(r);
      return e ? [entityEntry(e)] : [];
    });
  const found = q === '' ? [] : (search.data?.results ?? []);
  const total = q === '' ? 0 : (search.data?.totalSize ?? 0);
  const sections = arrange(
    query,
    {
      places: placeEntries,
      actions,
      starred: rememberedEntries(starred),
      recent: rememberedEntries(recent),
      found: found.flatMap((r) => (r.entity ? [{ ...entityEntry(r.entity), ranges: titleRanges(r) }] : [])),
      total,
    },
    { ref: hrefOfText, all: router.buildLocation({ to: '/search', search: { q } }).href },
  );
  return {
    sections,
    fresh: q === '' || (!search.isPlaceholderData && !search.isFetching) || search.isError,
    shown: found.length,
    total,
  };
}

/** Where the title matched. */
function titleRanges(r: SearchResult) {
  if (!r.entity) return undefined;
  const title = groupTitle(r.entity);
  return r.highlights?.find((h) => h.text === title)?.ranges;
}
