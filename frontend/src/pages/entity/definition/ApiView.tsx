import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useDeferredValue, useId, useMemo, useState } from 'react';
import { Empty } from '~/parts/Empty';
import classes from './Definition.module.css';
import { OperationRow } from './OperationRow';
import { type ApiDoc, searchOperations } from './read';
import { SchemaTree } from './SchemaTree';
import { Words } from './Words';

/** More at once make the page slow. */
const step = 200;

/** What an API offers: its operations by tag, then its schemas. */
export function ApiView(props: { doc: unknown; api: ApiDoc; q: string; onQ: (q: string) => void }) {
  const { api, doc } = props;
  const id = useId();
  const [most, setMost] = useState(step);
  const q = useDeferredValue(props.q);
  const groups = useMemo(() => searchOperations(api.groups, q), [api, q]);
  const total = groups.reduce((n, g) => n + g.operations.length, 0);
  const schemas = q ? api.schemas.filter((s) => s.name.toLowerCase().includes(q.toLowerCase())) : api.schemas;
  let left = most;
  const shown = groups.map((g) => {
    const operations = g.operations.slice(0, Math.max(0, left));
    left -= operations.length;
    return { ...g, operations };
  });
  return (
    <div className={classes.split} data-alone={api.groups.length + Math.min(1, api.schemas.length) < 2 || undefined}>
      <div className={classes.main}>
        <div className={classes.intro}>
          <h2 className={classes.title}>
            {api.title || 'Untitled API'} {api.version ? <span className="soft">{api.version}</span> : null}
          </h2>
          {api.description ? <Words text={api.description} /> : null}
          {api.servers.length > 0 ? (
            <dl className={classes.servers}>
              <dt>{api.servers.length === 1 ? 'Server' : 'Servers'}</dt>
              {api.servers.slice(0, 20).map((s, i) => (
                <dd key={i}>
                  <code>{s.url}</code> {s.description ? <span className="soft">{s.description}</span> : null}
                </dd>
              ))}
            </dl>
          ) : null}
        </div>
        <TextInput
          className={classes.search}
          aria-label="Search operations"
          placeholder="Search operations and schemas"
          leftSection={<IconSearch size={14} aria-hidden />}
          value={props.q}
          onChange={(e) => props.onQ(e.currentTarget.value)}
        />
        {total === 0 && schemas.length === 0 ? (
          <Empty
            small
            title={q ? 'No operation matches' : 'The definition has no operations'}
            actions={
              q ? (
                <Button size="xs" variant="default" onClick={() => props.onQ('')}>
                  Show all
                </Button>
              ) : undefined
            }
          />
        ) : null}
        {shown.map((g, i) =>
          g.operations.length > 0 ? (
            <section key={g.name} aria-labelledby={`${id}-${i}`}>
              <h3 id={`${id}-${i}`} className={classes.tag} tabIndex={-1}>
                {g.name}
              </h3>
              {g.description ? <Words text={g.description} /> : null}
              <ul className={classes.operations}>
                {g.operations.map((o) => (
                  <OperationRow key={o.id} doc={doc} operation={o} />
                ))}
              </ul>
            </section>
          ) : null,
        )}
        {total > most ? (
          <div className={classes.more}>
            <span>
              {most.toLocaleString('en')} of {total.toLocaleString('en')} operations
            </span>
            <Button size="xs" variant="default" onClick={() => setMost(most + step)}>
              Show more
            </Button>
          </div>
        ) : null}
        {schemas.length > 0 ? (
          <section aria-labelledby={`${id}-schemas`}>
            <h3 id={`${id}-schemas`} className={classes.tag} tabIndex={-1}>
              Schemas
            </h3>
            <ul className={classes.schemas}>
              {schemas.slice(0, most).map((s) => (
                <li key={s.name}>
                  <SchemaTree doc={doc} schema={s.schema} name={s.name} />
                </li>
              ))}
            </ul>
            {schemas.length > most ? (
              <p className="soft">
                {most} of {schemas.length.toLocaleString('en')} schemas are shown; search for the others.
              </p>
            ) : null}
          </section>
        ) : null}
      </div>
      {api.groups.length + Math.min(1, api.schemas.length) > 1 ? (
        <nav className={classes.contents} aria-label="Contents of the definition">
          <ul>
            {shown.map((g, i) =>
              g.operations.length > 0 ? (
                <li key={g.name}>
                  <a href={`#${id}-${i}`} onClick={(e) => jump(e, `${id}-${i}`)} className="clip" title={g.name}>
                    {g.name}
                  </a>
                  <span className="num soft">{g.operations.length}</span>
                </li>
              ) : null,
            )}
            {schemas.length > 0 ? (
              <li>
                <a href={`#${id}-schemas`} onClick={(e) => jump(e, `${id}-schemas`)}>
                  Schemas
                </a>
                <span className="num soft">{schemas.length}</span>
              </li>
            ) : null}
          </ul>
        </nav>
      ) : null}
    </div>
  );
}

/** To a place on this page, without a trace in the address: ids are made anew each time. */
function jump(event: React.MouseEvent, id: string) {
  event.preventDefault();
  const target = document.getElementById(id);
  target?.scrollIntoView({ block: 'start' });
  target?.focus({ preventScroll: true });
}
