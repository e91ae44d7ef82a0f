import { Status } from '~/parts/Status';
import { healthByKind, type OwnedRow } from './owned';

/** The health of all that is owned, in a line. */
export function HealthNote(props: { rows: readonly OwnedRow[] }) {
  const kinds = healthByKind(props.rows);
  const bad = kinds.reduce((n, k) => n + k.bad, 0);
  const warn = kinds.reduce((n, k) => n + k.warn, 0);
  if (bad + warn === 0) return <Status tone="good">All healthy</Status>;
  return (
    <>
      {bad > 0 ? <Status tone="bad">{bad.toLocaleString('en')} with errors</Status> : null}
      {warn > 0 ? <Status tone="warn">{warn.toLocaleString('en')} with warnings</Status> : null}
    </>
  );
}
