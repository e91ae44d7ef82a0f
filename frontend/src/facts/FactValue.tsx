import type { FactType } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { parseRef } from '~/entity/ref';
import { Bar } from '~/parts/Bar';
import { Outside } from '~/parts/Outside';
import { Status } from '~/parts/Status';
import { Time } from '~/parts/Time';
import { AnyValue } from './AnyValue';
import classes from './Facts.module.css';
import { FactTable } from './FactTable';
import { formatDuration, formatNumber, formatPercent, formatWord } from './format';
import { toneOf } from './tone';

/**
 * A value in the way that its plugin declared. A value that is not what the
 * declaration promises is shown as text: plugins are written by strangers too.
 */
export function FactValue(props: {
  value: unknown;
  type: FactType | undefined;
  rows?: number;
  missing?: ReadonlySet<string>;
}) {
  const { value, type } = props;
  if (value === undefined || value === null) return <span className="soft">–</span>;
  switch (type?.display) {
    case 'badge':
      if (typeof value === 'string') return <Word value={value} />;
      if (typeof value === 'boolean') return <Status tone={value ? 'good' : 'none'}>{value ? 'Yes' : 'No'}</Status>;
      break;
    case 'number':
      if (typeof value === 'number') return <span className={classes.number}>{formatNumber(value, type.unit)}</span>;
      break;
    case 'percent':
      if (typeof value === 'number') return <Percent value={value} />;
      break;
    case 'duration':
      if (typeof value === 'number') return <span className={classes.number}>{formatDuration(value, type.unit)}</span>;
      break;
    case 'time':
      if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return <Time at={value} />;
      break;
    case 'link': {
      const { url, title } = linkOf(value);
      if (url) return <Outside href={url}>{title || url}</Outside>;
      break;
    }
    case 'ref':
      return <Refs value={value} missing={props.missing} />;
    case 'table':
      if (Array.isArray(value)) return <FactTable rows={value} type={type} limit={props.rows} />;
      break;
  }
  return <AnyValue value={value} unit={type?.unit} />;
}

/** One of few words: as a state if it is known as one. */
function Word({ value }: { value: string }) {
  const tone = toneOf(value);
  if (tone === 'none') return <span className={classes.pill}>{formatWord(value)}</span>;
  return <Status tone={tone}>{formatWord(value)}</Status>;
}

function Percent({ value }: { value: number }) {
  return (
    <span className={classes.percent}>
      <Bar share={value} />
      <span className={classes.number}>{formatPercent(value)}</span>
    </span>
  );
}

function linkOf(value: unknown): { url?: string; title?: string } {
  if (typeof value === 'string') return { url: value };
  if (typeof value !== 'object' || value === null) return {};
  const { url, title } = value as Record<string, unknown>;
  return { url: typeof url === 'string' ? url : undefined, title: typeof title === 'string' ? title : undefined };
}

function Refs({ value, missing }: { value: unknown; missing?: ReadonlySet<string> }) {
  const all = Array.isArray(value) ? value : [value];
  return (
    <span className={classes.refs}>
      {all
        .slice(0, 50)
        .map((v, i) =>
          typeof v === 'string' && parseRef(v) ? (
            <EntityLink key={i} of={v} missing={missing?.has(v.toLowerCase())} />
          ) : (
            <AnyValue key={i} value={v} />
          ),
        )}
    </span>
  );
}
