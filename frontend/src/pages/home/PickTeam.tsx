import { Button, TextInput, UnstyledButton } from '@mantine/core';
import { IconSearch, IconUsersGroup } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { Avatar } from '~/entity/Avatar';
import { plural } from '~/entity/owned';
import { parseRef, shortRef } from '~/entity/ref';
import { useGroups } from '~/entity/useGroups';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import classes from './PickTeam.module.css';

const most = 100;

/** The arrows go through the list, as an extra to Tab. */
function walk(e: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (!step) return;
  const all = [...e.currentTarget.querySelectorAll<HTMLElement>('input, button')];
  const to = all[all.indexOf(document.activeElement as HTMLElement) + step];
  if (!to) return;
  e.preventDefault();
  to.focus();
}

/** Nobody is signed in: whose home is it? */
export function PickTeam(props: { current: string; onPick: (ref: string) => void; onCancel?: () => void }) {
  const groups = useGroups();
  const [q, setQ] = useState('');
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const sorted = useMemo(
    () => groups.list.toSorted((a, b) => a.title.localeCompare(b.title, 'en', { numeric: true })),
    [groups.list],
  );
  const found = sorted.filter((g) => {
    const text = `${g.title} ${g.ref} ${g.description}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
  // What Enter in the field takes.
  const best = words.length > 0 ? found[0] : undefined;
  return (
    <Page
      title="Pick your team"
      name="Home"
      about="Then this page shows what it owns, what waits for it and what changed. The choice stays in this browser, and you can change it at any time."
      actions={
        props.onCancel ? (
          <Button variant="default" size="xs" onClick={props.onCancel}>
            Cancel
          </Button>
        ) : null
      }
    >
      {groups.error ? (
        <Failure error={groups.error} retry={groups.retry} />
      ) : groups.loading ? (
        <div className={classes.box}>
          <Rows label="Teams" height={52} />
        </div>
      ) : groups.list.length === 0 ? (
        <Empty
          icon={IconUsersGroup}
          title="The catalog has no teams yet"
          actions={
            <Button component={Link} to="/catalog" size="xs" variant="default">
              Browse the catalog
            </Button>
          }
        >
          <p>Teams come from your GitHub organisation or from files of the kind Group.</p>
        </Empty>
      ) : (
        <Panel flush className={classes.box}>
          <form
            onKeyDown={walk}
            onSubmit={(e) => {
              e.preventDefault();
              if (best) props.onPick(best.ref);
            }}
          >
            <div className={classes.search}>
              <TextInput
                value={q}
                onChange={(e) => setQ(e.currentTarget.value)}
                leftSection={<IconSearch size={15} aria-hidden />}
                placeholder={`Search ${plural(groups.list.length, 'team')}`}
                aria-label="Search teams"
                autoComplete="off"
              />
            </div>
            <ul className={classes.list} aria-label="Teams">
              {found.slice(0, most).map((g) => {
                const counts = groups.countsOf(g.ref);
                const ref = parseRef(g.ref);
                return (
                  <li key={g.ref}>
                    <UnstyledButton
                      className={classes.team}
                      data-best={g === best || undefined}
                      aria-current={g.ref === props.current || undefined}
                      onClick={() => props.onPick(g.ref)}
                    >
                      <Avatar name={g.title} of={g.ref} square />
                      <span className={classes.words}>
                        <span className={`${classes.name} clip`}>{g.title}</span>
                        <span className={`${classes.about} clip`} title={g.description || undefined}>
                          {g.description || (ref ? shortRef(ref) : '')}
                        </span>
                      </span>
                      <span className={classes.numbers}>
                        <span>{plural(counts.members, 'member')}</span>
                        <span>owns {counts.owned.toLocaleString('en')}</span>
                      </span>
                    </UnstyledButton>
                  </li>
                );
              })}
              {found.length === 0 ? <li className={classes.note}>No team is called “{q}”</li> : null}
              {found.length > most ? (
                <li className={classes.note}>{plural(found.length - most, 'more team')}: type a part of the name</li>
              ) : null}
            </ul>
          </form>
        </Panel>
      )}
    </Page>
  );
}
