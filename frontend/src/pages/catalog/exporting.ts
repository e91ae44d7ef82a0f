import type { Entity } from '~/api/client';
import { pageOf } from '~/api/queries';
import { type Column, exportHead } from './columns';
import { csvLine } from './csv';

export type Format = 'csv' | 'json';

/** All entities of a selection as a file, page by page. */
export async function exported(
  input: { filter: string; words: string; orderBy: string; fields: string; columns: Column[] },
  format: Format,
  progress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<{ text: string; type: string }> {
  const entities: Entity[] = [];
  let pageToken = '';
  do {
    const page = await pageOf({ ...input, pageToken }, signal);
    entities.push(...page.entities);
    pageToken = page.next;
    progress(entities.length, page.total);
  } while (pageToken);
  return format === 'csv'
    ? { text: `\uFEFF${csvOf(entities, input.columns)}`, type: 'text/csv;charset=utf-8' } // a mark, for spreadsheets that guess
    : { text: `${JSON.stringify(entities, null, 2)}\n`, type: 'application/json' };
}

export function csvOf(entities: Entity[], columns: Pick<Column, 'title' | 'text'>[]): string {
  const all = [...exportHead, ...columns];
  return csvLine(all.map((c) => c.title)) + entities.map((e) => csvLine(all.map((c) => c.text(e)))).join('');
}
