import { Button, Skeleton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Entity } from '~/api/client';
import { historyQuery } from '~/api/queries';
import type { Ref } from '~/entity/ref';
import { Failure } from '~/parts/Failure';
import { Panel } from '~/parts/Panel';
import { ComparePicker } from './ComparePicker';
import { FactsEntry } from './FactsEntry';
import classes from './History.module.css';
import { RevisionEntry } from './RevisionEntry';
import { entriesOf } from './words';

/** All revisions, the newest first. Works for what was removed, too. */
export function History(props: {
  entity?: Entity;
  entityRef: Ref;
  actions?: ReactNode;
  selected?: { from?: string; to?: string };
}) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    historyQuery(props.entityRef),
  );
  if (!data && error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={260} radius="lg" />;
  const revisions = data.pages.flatMap((page) => page.revisions ?? []);
  const entries = entriesOf(revisions);
  const content = revisions.filter((r) => r.op !== 'OP_FACTS' && r.op !== 'OP_REMOVED');
  return (
    <Panel title="Revisions" actions={props.actions} flush>
      {content.length > 1 ? (
        <ComparePicker entityRef={props.entityRef} revisions={content} selected={props.selected} />
      ) : null}
      <ol className={classes.timeline}>
        {entries.map((e, i) =>
          'facts' in e ? (
            <FactsEntry key={e.facts[0]?.revision} revisions={e.facts} />
          ) : (
            <RevisionEntry
              key={`${e.revision.revision} ${e.revision.entityRef}`}
              revision={e.revision}
              entity={props.entity}
              entityRef={props.entityRef}
              latest={i === entries.findIndex((x) => 'revision' in x)}
            />
          ),
        )}
      </ol>
      {hasNextPage ? (
        <div className={classes.foot}>
          <Button size="xs" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older
          </Button>
        </div>
      ) : data.pages.at(-1)?.truncated ? (
        <p className={classes.note}>Older revisions were given up: this Waypost keeps them for a limited time.</p>
      ) : null}
    </Panel>
  );
}
