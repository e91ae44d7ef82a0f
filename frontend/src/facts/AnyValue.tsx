import classes from './Facts.module.css';
import { formatNumber } from './format';

/** Any JSON as text: what is simple as it is, the rest as JSON. */
export function AnyValue({ value, unit }: { value: unknown; unit?: string }) {
  if (typeof value === 'string') return <span className={classes.text}>{value}</span>;
  if (typeof value === 'number') return <span className={classes.number}>{formatNumber(value, unit)}</span>;
  if (typeof value === 'boolean') return <span>{value ? 'yes' : 'no'}</span>;
  if (Array.isArray(value) && value.every((v) => typeof v === 'string'))
    return <span className={classes.text}>{value.join(', ')}</span>;
  return <code className={classes.text}>{JSON.stringify(value)?.slice(0, 2000)}</code>;
}
