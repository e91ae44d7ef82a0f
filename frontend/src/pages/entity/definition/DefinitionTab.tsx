import { SegmentedControl, Skeleton } from '@mantine/core';
import { IconApi } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, Suspense, useMemo } from 'react';
import type { Entity, Relation } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { relationsOf, specText } from '~/entity/read';
import type { Ref } from '~/entity/ref';
import { Code } from '~/parts/Code';
import { Empty } from '~/parts/Empty';
import { Status } from '~/parts/Status';
import { ApiView } from './ApiView';
import classes from './Definition.module.css';
import { isReadable, languageOf, sourceOf } from './language';
import { readApi } from './read';
import { useParsed } from './useParsed';

/** What an API offers, who provides it and who consumes it. */
export default function DefinitionTab({ entity }: { entity: Entity; entityRef: Ref }) {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (c: { q?: string; format?: string }) =>
    void navigate({ to: '.', search: (s) => ({ ...s, ...c }), replace: true, resetScroll: false });

  const type = specText(entity, 'type');
  const source = useMemo(() => sourceOf((entity.spec as Record<string, unknown> | undefined)?.definition), [entity]);
  const readable = source !== undefined && isReadable(type, source);
  const parsed = useParsed(readable ? source : undefined);
  const api = useMemo(() => (parsed && 'doc' in parsed ? readApi(parsed.doc) : undefined), [parsed]);

  if (source === undefined)
    return (
      <div className={classes.page}>
        <Users entity={entity} />
        <div className={classes.frame}>
          <Empty icon={IconApi} title="There is no definition">
            <p>
              Put the API's OpenAPI, AsyncAPI, GraphQL or protobuf text into <code>spec.definition</code> of its file,
              or name a file there with <code>$text</code>.
            </p>
          </Empty>
        </div>
      </div>
    );

  const asSource = !readable || search.format === 'source' || (parsed !== undefined && !api);
  let content: ReactNode;
  if (asSource)
    content = (
      <Suspense fallback={<Skeleton height={400} radius={0} />}>
        <Code text={source} language={languageOf(type, source)} label="The definition" height="70vh" />
      </Suspense>
    );
  else if (!parsed || !('doc' in parsed) || !api) content = <Skeleton height={400} radius={0} />;
  else content = <ApiView doc={parsed.doc} api={api} q={search.q ?? ''} onQ={(q) => change({ q: q || undefined })} />;

  return (
    <div className={classes.page}>
      <Users entity={entity} />
      <section className={classes.frame} aria-label="Definition">
        <div className={classes.bar}>
          <span>{api?.format ?? (type || 'Definition')}</span>
          <span className="soft">{sizeWords(source)}</span>
          {readable && !(parsed && !api) ? (
            <SegmentedControl
              className={classes.end}
              size="xs"
              aria-label="Show as"
              value={asSource ? 'source' : 'read'}
              onChange={(v) => change({ format: v === 'source' ? 'source' : undefined })}
              data={[
                { value: 'read', label: 'Operations' },
                { value: 'source', label: 'Source' },
              ]}
            />
          ) : null}
        </div>
        {parsed && 'problem' in parsed ? (
          <p className={classes.fault} role="status">
            <Status tone="warn" plain>
              The definition cannot be read{parsed.line > 0 ? `: line ${parsed.line}` : ''}
            </Status>
            <span>{parsed.problem}</span>
          </p>
        ) : null}
        {parsed && 'doc' in parsed && !api ? (
          <p className={classes.fault} role="status">
            <Status tone="warn" plain>
              Neither OpenAPI nor AsyncAPI
            </Status>
            <span>The definition does not say which version of them it is written in, so here is its source.</span>
          </p>
        ) : null}
        {content}
      </section>
    </div>
  );
}

function Users({ entity }: { entity: Entity }) {
  const provided = relationsOf(entity, 'apiProvidedBy');
  const consumed = relationsOf(entity, 'apiConsumedBy');
  return (
    <div className={classes.users}>
      <UserList title="Provided by" none="Nothing says that it provides this API" relations={provided} />
      <UserList title="Consumed by" none="Nothing says that it consumes this API" relations={consumed} />
    </div>
  );
}

/** More than these are in the graph. */
const mostUsers = 24;

function UserList(props: { title: string; none: string; relations: Relation[] }) {
  return (
    <section className={classes.userList} aria-label={props.title}>
      <h2 className={classes.userTitle}>
        {props.title} <span className="soft">{props.relations.length}</span>
      </h2>
      {props.relations.length === 0 ? <p className="soft">{props.none}.</p> : null}
      <ul>
        {props.relations.slice(0, mostUsers).map((r) => (
          <li key={r.targetRef}>
            <EntityLink of={r.targetRef ?? ''} missing={!r.targetExists} />
          </li>
        ))}
        {props.relations.length > mostUsers ? (
          <li className="soft">and {props.relations.length - mostUsers} more: see Dependencies</li>
        ) : null}
      </ul>
    </section>
  );
}

function sizeWords(source: string): string {
  const lines = source.split('\n').length;
  return `${lines.toLocaleString('en')} ${lines === 1 ? 'line' : 'lines'}`;
}
