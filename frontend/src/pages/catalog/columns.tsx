import type { Entity, FactType } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { statusWords } from '~/entity/ownership';
import { ownerOf, relationsOf, specText, titleOf } from '~/entity/read';
import { parseRef, refOf, shortRef } from '~/entity/ref';
import { Status } from '~/parts/Status';
import { Time } from '~/parts/Time';
import { OwnerCell, TagsCell } from './cells';
import { factPath } from './facets';

/** A column of the list beside that of names. */
export type Column = {
  id: string;
  title: string;
  /** In rem; the name takes what is left. */
  width: number;
  /** In rem, where it is tight; what is usual in it is still read whole. */
  least?: number;
  /** What order_by calls it; absent if one cannot order by it. */
  order?: string;
  /** What is news first. */
  descFirst?: boolean;
  /** For the read mask. */
  fields: string[];
  cell: (entity: Entity) => React.ReactNode;
  /** For the export. */
  text: (entity: Entity) => string;
  figures?: boolean;
};

/** What rows need whichever columns there are. */
const always = ['name', 'kind', 'metadata.name', 'metadata.namespace', 'metadata.title'];

/** Tags are not among them: where it is tight they showed one and a half, and took the room that names need. */
export const defaultColumns = ['owner', 'system', 'type', 'lifecycle', 'updated'];

/**
 * Its system, or the domain of a system or domain. A component can be part of another one too, which is no
 * system, but still something that it is part of.
 */
export function systemOf(entity: Entity, orAny: boolean): { ref: string; missing: boolean } | undefined {
  const kind = /^(system|domain)$/i.test(entity.kind ?? '') ? 'domain:' : 'system:';
  const parts = relationsOf(entity, 'partOf');
  const part = parts.find((r) => r.targetRef?.startsWith(kind)) ?? (orAny ? parts[0] : undefined);
  if (part?.targetRef) return { ref: part.targetRef, missing: part.targetExists !== true };
  return undefined;
}

const text = (value: string) => (value ? <span title={value}>{value}</span> : <Nothing />);

function Nothing() {
  return <span className="soft">–</span>;
}

function tagsOf(entity: Entity): string[] {
  const tags: unknown = entity.metadata?.tags;
  return Array.isArray(tags) ? tags.filter((t): t is string => typeof t === 'string') : [];
}

function factText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function factCell(fact: FactType, value: unknown) {
  const words = factText(value);
  if (!words) return <Nothing />;
  if (fact.key === 'ownership.status') {
    const status = statusWords(words);
    return (
      <Status tone={status.tone} plain>
        {status.words}
      </Status>
    );
  }
  if (fact.display === 'ref' && parseRef(words)) return <EntityLink of={words} />;
  if (fact.display === 'time') return <Time at={words} brief />;
  if (fact.display === 'percent' && typeof value === 'number') return `${Math.round(value * 100)} %`;
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  return text(fact.unit ? `${words} ${fact.unit}` : words);
}

function factColumn(fact: FactType): Column {
  const key = fact.key ?? '';
  const read = (e: Entity) => (e.facts as Record<string, unknown> | undefined)?.[key];
  return {
    id: factPath(key),
    title: fact.title || key,
    width: 9,
    order: factPath(key),
    fields: ['facts'],
    cell: (e) => factCell(fact, read(e)),
    text: (e) => factText(read(e)),
    figures: ['number', 'percent', 'duration'].includes(fact.display ?? ''),
  };
}

/** All columns that there can be. */
export function allColumns(kind: string, facts: FactType[]): Column[] {
  const columns: Column[] = [
    {
      id: 'owner',
      title: 'Owner',
      width: 11.5,
      least: 7.25,
      order: facts.some((f) => f.key === 'ownership.owner') ? 'facts["ownership.owner"]' : 'spec.owner',
      fields: ['relations', 'facts'],
      cell: (e) => <OwnerCell entity={e} />,
      text: (e) => ownerOf(e)?.ref ?? '',
    },
    {
      id: 'system',
      title: kind === 'system' ? 'Domain' : kind === '' ? 'Part of' : 'System',
      width: 10.5,
      least: 6.75,
      order: kind === 'system' ? 'spec.domain' : 'spec.system',
      fields: ['relations'],
      cell: (e) => {
        const system = systemOf(e, kind === '');
        return system ? <EntityLink of={system.ref} missing={system.missing} /> : <Nothing />;
      },
      text: (e) => systemOf(e, kind === '')?.ref ?? '',
    },
    {
      id: 'type',
      title: 'Type',
      width: 7,
      least: 5.2,
      order: 'spec.type',
      fields: ['spec.type'],
      cell: (e) => text(specText(e, 'type')),
      text: (e) => specText(e, 'type'),
    },
    {
      id: 'lifecycle',
      title: 'Lifecycle',
      width: 9,
      least: 6.25,
      order: 'spec.lifecycle',
      fields: ['spec.lifecycle'],
      cell: (e) => text(specText(e, 'lifecycle')),
      text: (e) => specText(e, 'lifecycle'),
    },
    {
      id: 'tags',
      title: 'Tags',
      width: 9,
      least: 4.75,
      fields: ['metadata.tags'],
      cell: (e) => (tagsOf(e).length > 0 ? <TagsCell tags={tagsOf(e)} /> : <Nothing />),
      text: (e) => tagsOf(e).join(' '),
    },
    {
      id: 'updated',
      title: 'Updated',
      width: 8.5,
      least: 6.6,
      order: 'revision',
      descFirst: true,
      fields: ['updateTime'],
      cell: (e) => <Time at={e.updateTime} brief />,
      text: (e) => e.updateTime ?? '',
      figures: true,
    },
    {
      id: 'description',
      title: 'Description',
      width: 16,
      order: 'metadata.description',
      fields: ['metadata.description'],
      cell: (e) => text(e.metadata?.description ?? ''),
      text: (e) => e.metadata?.description ?? '',
    },
    {
      id: 'source',
      title: 'Source',
      width: 10,
      fields: ['origin'],
      cell: (e) => text(e.origin?.source ?? ''),
      text: (e) => e.origin?.source ?? '',
    },
    {
      id: 'repository',
      title: 'Repository',
      width: 11,
      fields: ['origin'],
      cell: (e) => text(e.origin?.repository ?? ''),
      text: (e) => e.origin?.repository ?? '',
    },
  ];
  for (const fact of facts)
    if (fact.filterable && fact.key && fact.key !== 'ownership.owner') columns.push(factColumn(fact));
  return columns;
}

/** The chosen ones in the order in which they are offered; the default ones if the address names none. */
export function chosenColumns(all: Column[], chosen: string[] | undefined): Column[] {
  const ids = chosen ?? defaultColumns;
  return all.filter((c) => ids.includes(c.id));
}

export function readMask(columns: Column[]): string {
  return [...new Set([...always, ...columns.flatMap((c) => c.fields)])].sort().join(',');
}

/** What the export says of each entity before the chosen columns. */
export const exportHead: { title: string; text: (e: Entity) => string }[] = [
  { title: 'Ref', text: (e) => (e.name ?? '').replace(/^entities\//, '') },
  { title: 'Kind', text: (e) => e.kind ?? '' },
  { title: 'Name', text: (e) => e.metadata?.name ?? '' },
  { title: 'Title', text: titleOf },
];

/** Its ref in short, where the title does not say it already. */
export function refBelow(entity: Entity): string {
  const ref = shortRef(refOf(entity));
  return titleOf(entity).toLowerCase() === ref ? '' : ref;
}

/** Of the name, and where it is tight. All the usual columns fit beside the facets at 1280 px. */
const nameWidth = 18;
const leastName = 15;
const tightest = 0.7;

/** Widths in rem for a table with that much room, and the least that it needs: where it is tight all give a little. */
export function columnWidths(
  columns: Pick<Column, 'width' | 'least'>[],
  room: number,
): { widths: number[]; least: number } {
  const leasts = columns.map((c) => c.least ?? c.width * tightest);
  const least = leastName + sum(leasts);
  const most = nameWidth + sum(columns.map((c) => c.width));
  const share = room > 0 && most > least ? Math.min(1, Math.max(0, (room - least) / (most - least))) : 1;
  return { widths: columns.map((c, i) => (leasts[i] ?? 0) + (c.width - (leasts[i] ?? 0)) * share), least };
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
