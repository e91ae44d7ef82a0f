import { IconAlertTriangle, IconCircleX, IconStar, IconStarFilled } from '@tabler/icons-react';
import { FlexRender } from '@tanstack/react-table';
import { memo } from 'react';
import type { Entity } from '~/api/client';
import { hrefOf, toEntity } from '~/entity/href';
import { kindOf } from '~/entity/kinds';
import { Marked } from '~/entity/Marked';
import { ownerOf, specText, titleOf } from '~/entity/read';
import { formatRef, parseRef, type Ref, refOf, shortRef } from '~/entity/ref';
import { fieldWords } from '~/pages/search/why';
import { refBelow } from './columns';
import classes from './EntityTable.module.css';
import { rangesOf, whyMatched } from './matches';
import type { EntityCell, EntityColumn } from './useEntityTable';
import type { Level } from './useLevels';
import type { Row } from './useRows';

type Props = {
  row: Row;
  index: number;
  height: number;
  cells: EntityCell[];
  /** Those of the cells, the same as long as the choice is. */
  columns: EntityColumn[];
  phone: boolean;
  withKind: boolean;
  level: Level | undefined;
  starred: boolean;
  toggleStar: (ref: string) => void;
};

export const EntityRow = memo(
  function EntityRow(props: Props) {
    const { entity, highlights } = props.row;
    const ref = refOf(entity);
    const title = titleOf(entity);
    const Icon = kindOf(ref.kind).icon;
    const below = refBelow(entity);
    const why = highlights ? whyMatched(highlights, title, below) : undefined;
    return (
      <tr
        data-index={props.index}
        aria-rowindex={props.index + 2}
        className={classes.row}
        style={{ height: props.height }}
      >
        <th scope="row" className={classes.nameCell}>
          <div className={classes.name}>
            {props.withKind ? (
              <span className={classes.kind} title={kindOf(ref.kind).one}>
                <Icon size={16} stroke={1.6} aria-hidden />
                <span className="sr-only">{kindOf(ref.kind).one}</span>
              </span>
            ) : null}
            <div className={classes.words}>
              <a {...toEntity(ref)} className={classes.title} title={title} data-entity>
                <Marked text={title} ranges={rangesOf(highlights, title)} />
              </a>
              {why ? (
                <span className={classes.below} title={why.text}>
                  {why.field === 'metadata.description' ? '' : `${fieldWords(why.field ?? '')}: `}
                  <Marked text={why.text} ranges={why.ranges} />
                </span>
              ) : props.phone ? (
                <span className={classes.below}>{phoneLine(entity) || below || shortRef(ref)}</span>
              ) : below ? (
                <span className={classes.below} title={formatRef(ref)}>
                  <Marked text={below} ranges={rangesOf(highlights, below)} />
                </span>
              ) : null}
            </div>
            <button
              type="button"
              className={classes.star}
              data-on={props.starred || undefined}
              aria-pressed={props.starred}
              aria-label={`Star ${title}`}
              onClick={() => props.toggleStar(formatRef(ref))}
            >
              {props.starred ? (
                <IconStarFilled size={15} aria-hidden />
              ) : (
                <IconStar size={15} stroke={1.6} aria-hidden />
              )}
            </button>
            {props.level ? <Mark level={props.level} of={ref} title={title} /> : null}
          </div>
        </th>
        <Cells entity={entity} cells={props.cells} columns={props.columns} />
      </tr>
    );
  },
  (a, b) =>
    a.row.entity === b.row.entity &&
    a.row.highlights === b.row.highlights &&
    a.index === b.index &&
    a.height === b.height &&
    a.columns === b.columns &&
    a.phone === b.phone &&
    a.withKind === b.withKind &&
    a.level === b.level &&
    a.starred === b.starred,
);

/** Apart from the name, in which each key that is typed marks other letters: as long as the entity and the columns are the same so are they. */
const Cells = memo(
  function Cells({ cells }: { entity: Entity; cells: EntityCell[]; columns: EntityColumn[] }) {
    return cells.slice(1).map((cell) => (
      <td key={cell.column.id} className={classes.cell} data-figures={cell.column.columnDef.meta?.figures || undefined}>
        <FlexRender cell={cell} />
      </td>
    ));
  },
  (a, b) => a.entity === b.entity && a.columns === b.columns,
);

/** Something is wrong with it: how bad, and the way to what. */
function Mark(props: { level: Level; of: Ref; title: string }) {
  const Icon = props.level === 'error' ? IconCircleX : IconAlertTriangle;
  const words = props.level === 'error' ? 'has errors' : 'has warnings';
  return (
    <a
      href={hrefOf(props.of, 'problems')}
      data-link
      className={classes.level}
      data-level={props.level}
      title={`${props.title} ${words}`}
      aria-label={`${props.title} ${words}`}
    >
      <Icon size={15} stroke={1.9} aria-hidden />
    </a>
  );
}

/** What matters most, on one line. */
function phoneLine(entity: Entity): string {
  const owner = parseRef(ownerOf(entity)?.ref ?? '');
  return [owner ? shortRef(owner) : '', specText(entity, 'type'), specText(entity, 'lifecycle')]
    .filter(Boolean)
    .join(' · ');
}

/** A row that is on its way. */
export function SkeletonRow(props: { height: number; columns: EntityColumn[]; index: number }) {
  const width = (n: number) => `${40 + ((props.index * 37 + n * 53) % 45)}%`;
  return (
    <tr aria-rowindex={props.index + 2} className={classes.row} style={{ height: props.height }}>
      <td className={classes.nameCell}>
        <span className={classes.ghost} style={{ width: width(0) }} />
        <span className="sr-only">Loading</span>
      </td>
      {props.columns.slice(1).map((c, i) => (
        <td key={c.id} className={classes.cell}>
          <span className={classes.ghost} style={{ width: width(i + 1) }} />
        </td>
      ))}
    </tr>
  );
}
