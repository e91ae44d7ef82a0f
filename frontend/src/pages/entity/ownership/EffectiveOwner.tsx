import type { Ownership } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { confidenceWords, sourceWords, statusWords } from '~/entity/ownership';
import { formatPercent, formatWord } from '~/facts/format';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import classes from './Ownership.module.css';

/** The owner as it counts, and how sure that is. */
export function EffectiveOwner({ ownership: o }: { ownership: Ownership }) {
  const status = statusWords(o.status ?? '');
  const owner = o.ownerRef;
  const known = (o.candidates ?? []).find((c) => c.ownerRef === owner);
  const roles = Object.entries(o.responsibilities ?? {});
  return (
    <Panel title="Effective owner">
      <div className={classes.owner}>
        <span className={classes.big}>
          {owner ? <EntityLink of={owner} missing={known ? !known.exists : false} /> : 'Nobody'}
        </span>
        {o.status ? <Status tone={status.tone}>{status.words}</Status> : null}
      </div>
      <p className={classes.why}>
        {owner ? (
          <>
            {formatWord(sourceWords(o.source ?? ''))}; {confidenceWords(o.confidence ?? 0)} (
            {formatPercent(o.confidence ?? 0)}).
          </>
        ) : (
          'No source names an owner that exists.'
        )}{' '}
        {status.means}
      </p>
      <dl className={classes.more}>
        {o.declaredRef && o.declaredRef !== owner ? (
          <div>
            <dt>Declared</dt>
            <dd>
              <EntityLink of={o.declaredRef} missing={o.status === 'dangling'} />
            </dd>
          </div>
        ) : null}
        {o.accountableRef && o.accountableRef !== owner ? (
          <div>
            <dt>Accountable</dt>
            <dd>
              <EntityLink of={o.accountableRef} />
            </dd>
          </div>
        ) : null}
        {(o.additionalRefs ?? []).length > 0 ? (
          <div>
            <dt>Also</dt>
            <dd>
              {o.additionalRefs?.map((ref) => (
                <EntityLink key={ref} of={ref} />
              ))}
            </dd>
          </div>
        ) : null}
        {roles.map(([role, ref]) => (
          <div key={role}>
            <dt>{formatWord(role)}</dt>
            <dd>
              <EntityLink of={ref} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
