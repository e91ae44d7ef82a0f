import type { Entity } from '~/api/client';
import { sourceLine } from '~/entity/read';
import { commitUrl, repositoryUrl, shortCommit } from '~/entity/source';
import { Outside } from '~/parts/Outside';
import { Panel } from '~/parts/Panel';
import { Time } from '~/parts/Time';
import classes from './Overview.module.css';

/** Where the entity is declared, to the line. */
export function Location({ entity }: { entity: Entity }) {
  const origin = entity.origin ?? {};
  const line = origin.line && origin.line > 0 ? `:${origin.line}` : '';
  const managed = entity.metadata?.annotations?.['backstage.io/managed-by-location'];
  return (
    <Panel title="Location">
      <dl className={classes.pairs} data-narrow>
        {origin.path ? (
          <div>
            <dt>{origin.inferred ? 'Inferred from' : 'Declared at'}</dt>
            <dd>
              <Outside href={sourceLine(entity)}>{`${origin.path}${line}`}</Outside>
            </dd>
          </div>
        ) : managed ? (
          <div>
            <dt>Managed by</dt>
            <dd>{managed}</dd>
          </div>
        ) : null}
        {origin.repository ? (
          <div>
            <dt>Repository</dt>
            <dd>
              <Outside href={repositoryUrl(entity)}>{origin.repository}</Outside>
            </dd>
          </div>
        ) : null}
        {origin.commit ? (
          <div>
            <dt>Commit</dt>
            <dd>
              <Outside href={commitUrl(entity, origin.commit)}>
                <code title={origin.commit}>{shortCommit(origin.commit)}</code>
              </Outside>
            </dd>
          </div>
        ) : null}
        {origin.source ? (
          <div>
            <dt>Source</dt>
            <dd>{origin.source}</dd>
          </div>
        ) : null}
        <div>
          <dt>Last change</dt>
          <dd>
            <Time at={entity.updateTime} />
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
