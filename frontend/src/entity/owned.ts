import type { Owned, Problem } from '~/api/client';
import { compareKinds } from './kinds';
import { parseRef } from './ref';

export type Health = 'bad' | 'warn' | 'good';

/** Something that is owned, and how it is. */
export type OwnedRow = {
  ref: string;
  kind: string;
  name: string;
  owner: string;
  /** Where the owner comes from, such as declared. */
  source: string;
  /** owned, dangling and so on, as the API has it. */
  ownership: string;
  errors: number;
  warnings: number;
  health: Health;
};

const rank: Record<Health, number> = { bad: 0, warn: 1, good: 2 };

/** What is owned with its problems, those with the worst first. */
export function ownedRows(owned: readonly Owned[], problems: readonly Problem[]): OwnedRow[] {
  const counts = new Map<string, { errors: number; warnings: number }>();
  for (const p of problems) {
    if (!p.entityRef) continue;
    const c = counts.get(p.entityRef) ?? { errors: 0, warnings: 0 };
    if (p.severity === 'SEVERITY_ERROR') c.errors++;
    else c.warnings++;
    counts.set(p.entityRef, c);
  }
  const rows = owned.flatMap((o): OwnedRow[] => {
    const ref = parseRef(o.entityRef ?? '');
    if (!o.entityRef || !ref) return [];
    const { errors, warnings } = counts.get(o.entityRef) ?? { errors: 0, warnings: 0 };
    const ownership = o.status || 'owned';
    const health = errors > 0 ? 'bad' : warnings > 0 || ownership !== 'owned' ? 'warn' : 'good';
    return [
      {
        ref: o.entityRef,
        kind: ref.kind,
        name: ref.name,
        owner: o.ownerRef ?? '',
        source: o.source ?? '',
        ownership,
        errors,
        warnings,
        health,
      },
    ];
  });
  return rows.sort(
    (a, b) =>
      rank[a.health] - rank[b.health] ||
      b.errors - a.errors ||
      b.warnings - a.warnings ||
      compareKinds(a.kind, b.kind) ||
      a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
}

export type KindHealth = { kind: string; total: number; bad: number; warn: number };

/** How much there is of each kind, and how it is. */
export function healthByKind(rows: readonly OwnedRow[]): KindHealth[] {
  const kinds = new Map<string, KindHealth>();
  for (const r of rows) {
    const k = kinds.get(r.kind) ?? { kind: r.kind, total: 0, bad: 0, warn: 0 };
    k.total++;
    if (r.health === 'bad') k.bad++;
    if (r.health === 'warn') k.warn++;
    kinds.set(r.kind, k);
  }
  return [...kinds.values()].sort((a, b) => compareKinds(a.kind, b.kind));
}

const ownershipWords: Record<string, string> = {
  dangling: 'Named owner does not exist',
  disbanded: 'Owner is disbanded',
  'single-person': 'Rests on one person',
  split: 'Ownership is split',
  unowned: 'Nobody owns it',
};

export const plural = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** The health of it in words. */
export function healthWords(row: OwnedRow): string {
  const parts: string[] = [];
  if (row.errors > 0) parts.push(plural(row.errors, 'error'));
  if (row.warnings > 0) parts.push(plural(row.warnings, 'warning'));
  if (parts.length === 0 && row.ownership !== 'owned')
    parts.push(ownershipWords[row.ownership] ?? `Ownership: ${row.ownership}`);
  return parts.join(', ') || 'Healthy';
}

/** Worst first: errors, then warnings, then the oldest. */
export function worstFirst(problems: readonly Problem[]): Problem[] {
  const at = (p: Problem) => (p.severity === 'SEVERITY_ERROR' ? 0 : 1);
  return problems.toSorted(
    (a, b) =>
      at(a) - at(b) ||
      (a.openTime ?? '').localeCompare(b.openTime ?? '') ||
      (a.repository ?? '').localeCompare(b.repository ?? '') ||
      (a.path ?? '').localeCompare(b.path ?? '') ||
      (a.line ?? 0) - (b.line ?? 0),
  );
}
