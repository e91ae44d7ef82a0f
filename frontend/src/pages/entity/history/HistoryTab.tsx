import type { Entity } from '~/api/client';
import type { Ref } from '~/entity/ref';
import { useTabSearch } from '../useTabSearch';
import { AsOf } from './AsOf';
import { AsOfPicker } from './AsOfPicker';
import { Compare } from './Compare';
import { History } from './History';
import classes from './History.module.css';

/** How it came to be what it is, and what it was on a day; of what was removed too, which is no entity any more. */
export default function HistoryTab({ entity, entityRef }: { entity?: Entity; entityRef: Ref }) {
  const [search, change] = useTabSearch(entityRef, 'history');
  const asOf = search.asOf && !Number.isNaN(Date.parse(search.asOf)) ? search.asOf : undefined;
  return (
    <div className={classes.tab}>
      {asOf ? (
        <AsOf entityRef={entityRef} time={asOf} onReturn={() => change({ asOf: undefined })} />
      ) : search.from || search.to ? (
        <Compare entityRef={entityRef} from={search.from} to={search.to} />
      ) : null}
      <History
        entity={entity}
        entityRef={entityRef}
        actions={<AsOfPicker time={asOf} onPick={(time) => change({ asOf: time, from: undefined, to: undefined })} />}
        selected={search.from || search.to ? { from: search.from, to: search.to } : undefined}
      />
    </div>
  );
}
