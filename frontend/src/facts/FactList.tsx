import { IconAlertTriangle, IconHourglassEmpty } from '@tabler/icons-react';
import type { EntityFact } from '~/api/client';
import { Time } from '~/parts/Time';
import { tip } from '~/parts/tip';
import { EvidenceList } from './EvidenceList';
import classes from './Facts.module.css';
import { FactValue } from './FactValue';
import { formatWord } from './format';

/** What a plugin says. In full: each with what it means, all its evidence and its age. */
export function FactList(props: {
  facts: EntityFact[];
  full?: boolean;
  /** Refs that are known not to exist. */
  missing?: ReadonlySet<string>;
}) {
  return (
    <dl className={classes.list} data-full={props.full || undefined}>
      {props.facts.map((fact) => (
        <Fact key={fact.key} fact={fact} full={props.full} missing={props.missing} />
      ))}
    </dl>
  );
}

function Fact({ fact, full, missing }: { fact: EntityFact; full?: boolean; missing?: ReadonlySet<string> }) {
  const { type } = fact;
  const title = type?.title || formatWord((fact.key ?? '').split('.').slice(1).join(' ') || (fact.key ?? ''));
  const old = fact.stale || !type;
  return (
    <div className={classes.fact} data-stale={old || undefined} data-wide={type?.display === 'table' || undefined}>
      <dt>
        {full || !type?.description ? title : <span {...tip(type.description)}>{title}</span>}
        {full && type?.description ? <p className={classes.means}>{type.description}</p> : null}
      </dt>
      <dd>
        <div className={classes.value}>
          <FactValue value={fact.value} type={type} rows={full ? undefined : 5} missing={missing} />
        </div>
        <EvidenceList of={fact.evidence} limit={full ? 20 : 1} brief={!full} />
        {old ? (
          <p className={classes.old}>
            <IconHourglassEmpty size={13} aria-hidden />
            <span>
              {type ? 'Out of date' : 'From a plugin that is not there any more'}: seen <Time at={fact.observeTime} />
              {fact.staleTime ? (
                <>
                  , fresh until <Time at={fact.staleTime} />
                </>
              ) : null}
            </span>
          </p>
        ) : full ? (
          <p className={classes.old}>
            <span>
              Seen <Time at={fact.observeTime} />
            </span>
          </p>
        ) : null}
        {fact.error ? (
          <p className={classes.error}>
            <IconAlertTriangle size={13} aria-hidden />
            <span>Could not be asked anew: {fact.error}</span>
          </p>
        ) : null}
      </dd>
    </div>
  );
}
