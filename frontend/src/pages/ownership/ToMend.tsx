import { Button } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { components } from '~/api/schema.gen';
import { EntityLink } from '~/entity/EntityLink';
import { parseRef } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import { Cell, Table } from '~/parts/Table';
import classes from './CoverageTable.module.css';
import { percent, statusWords } from './coverage';

type Unowned = components['schemas']['waypost.ownership.v1.Unowned'];

const route = getRouteApi('/ownership');

/** What is not as it should be, each with the best candidate and the way to mend it. */
export function ToMend(props: { unowned: Unowned[]; drifting: number; status: string }) {
  const search = route.useSearch();
  const statuses = [...new Set(props.unowned.map((u) => u.status ?? ''))].sort();
  const shown = props.status ? props.unowned.filter((u) => u.status === props.status) : props.unowned;
  if (props.unowned.length === 0)
    return (
      <Panel>
        <Empty icon={IconShieldCheck} title="Everything has an owner who is there" />
      </Panel>
    );
  return (
    <Panel
      flush
      title="To mend"
      note={`${shown.length.toLocaleString('en')}${props.unowned.length >= 1000 ? ', the first 1,000' : ''}`}
      actions={
        <>
          {props.drifting > 0 ? (
            <Button
              size="compact-xs"
              variant="default"
              renderRoot={(p) => <Link {...p} to="/catalog" search={{ filter: '"ownership.drift" in facts' }} />}
            >
              {props.drifting} drifting
            </Button>
          ) : null}
          {['', ...statuses].map((s) => (
            <Button
              key={s}
              size="compact-xs"
              variant={s === props.status ? 'light' : 'default'}
              aria-current={s === props.status ? 'true' : undefined}
              renderRoot={(p) => <Link {...p} to="/ownership" search={{ ...search, status: s || undefined }} />}
            >
              {s || 'all'}
            </Button>
          ))}
        </>
      }
    >
      <Table
        label="What to mend"
        columns={[
          { name: 'Entity' },
          { name: 'What is wrong' },
          { name: 'Best candidate' },
          { name: 'Confidence', num: true },
          { name: 'Mend', hidden: true },
        ]}
      >
        {shown.map((u) => {
          const ref = parseRef(u.entityRef ?? '');
          return (
            <tr key={u.entityRef}>
              <Cell>
                <EntityLink of={u.entityRef ?? ''} />
              </Cell>
              <Cell below={u.declaredRef ? `declared: ${u.declaredRef}` : undefined}>
                <span className={classes.faults}>
                  <Status tone={u.status === 'single-person' || u.status === 'split' ? 'warn' : 'bad'} plain>
                    {statusWords[u.status ?? ''] ?? u.status}
                  </Status>
                </span>
              </Cell>
              <Cell>{u.candidateRef ? <EntityLink of={u.candidateRef} /> : <span className="soft">none</span>}</Cell>
              <Cell num>{u.candidateRef ? percent(100 * (u.confidence ?? 0)) : '–'}</Cell>
              <Cell tight num>
                {ref ? (
                  <Link to="/catalog/$namespace/$kind/$name/$tab" params={{ ...ref, tab: 'ownership' }} search={{}}>
                    evidence and mends<span className="sr-only"> for {u.entityRef}</span>
                  </Link>
                ) : null}
              </Cell>
            </tr>
          );
        })}
      </Table>
    </Panel>
  );
}
