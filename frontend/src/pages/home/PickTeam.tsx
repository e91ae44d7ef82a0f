import { Button, Combobox, TextInput, useCombobox } from '@mantine/core';
import { IconSearch, IconUsersGroup } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
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

/** Nobody is signed in: whose home is it? */
export function PickTeam(props: { current: string; onPick: (ref: string) => void; onCancel?: () => void }) {
  const groups = useGroups();
  const [q, setQ] = useState('');
  const box = useCombobox({ opened: true });
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const sorted = useMemo(
    () => groups.list.toSorted((a, b) => a.title.localeCompare(b.title, 'en', { numeric: true })),
    [groups.list],
  );
  const found = sorted.filter((g) => {
    const text = `${g.title} ${g.ref} ${g.description}`.toLowerCase();
    return words.every((w) => text.includes(w));
  });
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
          <Combobox store={box} onOptionSubmit={props.onPick}>
            <div className={classes.search}>
              <Combobox.EventsTarget>
                <TextInput
                  value={q}
                  onChange={(e) => {
                    setQ(e.currentTarget.value);
                    box.updateSelectedOptionIndex();
                    box.selectFirstOption();
                  }}
                  leftSection={<IconSearch size={15} aria-hidden />}
                  placeholder={`Search ${plural(groups.list.length, 'team')}`}
                  aria-label="Search teams"
                  data-autofocus
                  autoComplete="off"
                />
              </Combobox.EventsTarget>
            </div>
            <Combobox.Options className={classes.list} aria-label="Teams">
              {found.slice(0, most).map((g) => {
                const counts = groups.countsOf(g.ref);
                const ref = parseRef(g.ref);
                return (
                  <Combobox.Option key={g.ref} value={g.ref} className={classes.team} active={g.ref === props.current}>
                    <Avatar name={g.title} of={g.ref} square />
                    <div>
                      <div className={`${classes.name} clip`}>{g.title}</div>
                      <div className={`${classes.about} clip`} title={g.description || undefined}>
                        {g.description || (ref ? shortRef(ref) : '')}
                      </div>
                    </div>
                    <div className={classes.numbers}>
                      <span>{plural(counts.members, 'member')}</span>
                      <span>owns {counts.owned.toLocaleString('en')}</span>
                    </div>
                  </Combobox.Option>
                );
              })}
              {found.length === 0 ? <Combobox.Empty>No team is called “{q}”</Combobox.Empty> : null}
              {found.length > most ? (
                <Combobox.Empty>{plural(found.length - most, 'more team')}: type a part of the name</Combobox.Empty>
              ) : null}
            </Combobox.Options>
          </Combobox>
        </Panel>
      )}
    </Page>
  );
}
