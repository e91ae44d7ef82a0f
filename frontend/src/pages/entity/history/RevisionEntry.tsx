import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import type { Entity, EntityRevision } from '~/api/client';
import { diffQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import type { Ref } from '~/entity/ref';
import { commitUrl, shortCommit } from '~/entity/source';
import { Code } from '~/parts/Code';
import { Diff } from '~/parts/Diff';
import { addedText } from '~/parts/diffLines';
import { Failure } from '~/parts/Failure';
import { Outside } from '~/parts/Outside';
import { Status } from '~/parts/Status';
import { Time } from '~/parts/Time';
import { ChangeList } from './ChangeList';
import classes from './History.module.css';
import { causeWords, opWords } from './words';

export function RevisionEntry(props: {
  revision: EntityRevision;
  entity: Entity | undefined;
  entityRef: Ref;
  latest: boolean;
}) {
  const { revision: r, entity } = props;
  const [open, setOpen] = useState(false);
  const id = useId();
  const [words, tone] = opWords(r);
  const cause = causeWords(r.cause);
  // What was removed comes from the last commit that had it, and not from the one that took it away.
  const commit = r.cause?.commit || (r.op === 'OP_REMOVED' ? undefined : r.origin?.commit);
  const sameRepository = entity?.origin?.repository === r.origin?.repository;
  return (
    <li className={classes.entry} data-tone={tone}>
      <div className={classes.head}>
        <Status tone={tone}>{words}</Status>
        {r.renamedRef ? (
          <span>
            {r.op === 'OP_REMOVED' ? 'to ' : 'from '}
            {r.op === 'OP_REMOVED' ? <EntityLink of={r.renamedRef} /> : <code>{r.renamedRef}</code>}
          </span>
        ) : null}
        <span className={classes.cause}>
          {cause ? `by ${cause}` : ''}
          {commit ? (
            <>
              {cause ? ', ' : ''}commit{' '}
              <Outside href={sameRepository ? commitUrl(entity, commit) : undefined} icon={false}>
                <code title={commit}>{shortCommit(commit)}</code>
              </Outside>
            </>
          ) : null}
        </span>
        <span className={classes.when}>
          <Time at={r.time} /> · revision {r.revision}
        </span>
      </div>
      {(r.changes ?? []).length > 0 ? <ChangeList changes={r.changes ?? []} /> : null}
      <div className={classes.tools}>
        {r.op !== 'OP_REMOVED' ? (
          <Button
            size="compact-xs"
            variant="subtle"
            aria-expanded={open}
            aria-controls={open ? id : undefined}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Hide the text' : r.op === 'OP_ADDED' ? 'Show as YAML' : 'Show the diff'}
            <span className="sr-only"> of revision {r.revision}</span>
          </Button>
        ) : null}
        {r.op !== 'OP_REMOVED' && !props.latest && r.time ? (
          <Link
            to="/catalog/$namespace/$kind/$name/$tab"
            params={{ ...props.entityRef, tab: 'history' }}
            search={{ asOf: r.time }}
            className={classes.tool}
          >
            As it was then
          </Link>
        ) : null}
      </div>
      {open ? (
        <div id={id}>
          <RevisionText entityRef={props.entityRef} revision={r.revision ?? ''} first={r.op === 'OP_ADDED'} />
        </div>
      ) : null}
    </li>
  );
}

function RevisionText({ entityRef, revision, first }: { entityRef: Ref; revision: string; first: boolean }) {
  const { data, error, refetch } = useQuery(diffQuery(entityRef, undefined, revision));
  if (error) return <Failure error={error} retry={() => void refetch()} small />;
  if (!data) return <Skeleton height={160} />;
  // Where all is new, nothing is gained by signs.
  if (first && data.text) return <Code text={addedText(data.text)} language="yaml" label={`Revision ${revision}`} />;
  return <Diff text={data.text ?? ''} label={`Revision ${revision}, compared with the one before`} copy />;
}
