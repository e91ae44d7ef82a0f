import { ActionIcon, Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useMemo, useState } from 'react';
import { ApiError } from '~/api/errors';
import { filterCheckQuery } from '~/api/queries';
import type { Vocabulary } from '~/cel/complete';
import { splitPath } from '~/cel/write';
import { unitAt } from '~/parts/bytes';
import CelEditor from '~/parts/CelEditor';
import { tip } from '~/parts/tip';
import classes from './Expert.module.css';
import { compose, explicit } from './selection';
import type { CatalogView } from './useCatalog';
import type { Counted } from './useFacets';

const more = [
  'metadata.name',
  'metadata.namespace',
  'metadata.title',
  'metadata.description',
  'metadata.labels',
  'metadata.annotations',
  'spec.owner',
  'spec.system',
  'relations.ownedBy',
  'relations.dependsOn',
  'relations.dependencyOf',
  'relations.providesApi',
  'relations.consumesApi',
  'relations.hasPart',
  'relations.memberOf',
];

/**
 * The reader's own CEL expression beside the facets. It is used as soon as it is
 * one; while it is not, the list stays as it was.
 */
export default function Expert(props: { view: CatalogView; counted: Map<string, Counted>; close: () => void }) {
  const { view, counted } = props;
  const { search, set } = view;
  const inUse = search.filter ?? '';
  const [draft, setDraft] = useState(inUse);
  const [before, setBefore] = useState(inUse);
  if (before !== inUse) {
    setBefore(inUse);
    if (inUse !== draft.trim()) setDraft(inUse); // the address was changed by something else
  }

  const [tried] = useDebouncedValue(draft.trim(), 200);
  const { filter, ownStart } = useMemo(() => compose({ ...explicit(search), filter: tried }), [search, tried]);
  const check = useQuery({ ...filterCheckQuery(filter), enabled: tried !== '' });
  const use = (expression: string) => set((now) => ({ ...explicit(now), filter: expression.trim() || undefined }));
  const good = tried === '' || check.isSuccess;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was tried and is good is used
  useEffect(() => {
    if (good && tried === draft.trim() && tried !== inUse) use(tried);
  }, [good, tried]);

  // Half of an expression is no fault yet; a pause tells that its writer thinks it whole.
  const [rested] = useDebouncedValue(draft.trim(), 700);
  const error = tried && tried === draft.trim() && (rested === tried || tried === inUse) ? check.error : null;
  const at = error instanceof ApiError && error.field === 'filter' ? error.offset - ownStart : -1;
  const fault = error
    ? { from: draft.length - draft.trimStart().length + unitAt(tried, Math.max(at, 0)), message: error.message }
    : undefined;

  const words = useMemo<Vocabulary>(() => {
    const fields = [
      { path: 'kind', about: 'Kind' },
      ...view.fields.map((f) => ({ path: f.field, about: f.title })),
      ...more.filter((m) => !view.fields.some((f) => f.field === m)).map((path) => ({ path })),
      ...view.facts
        .filter((f) => f.key && !view.fields.some((x) => splitPath(x.field)?.[1] === f.key))
        .map((f) => ({ path: `facts[${JSON.stringify(f.key)}]`, about: f.title })),
    ];
    return { fields, values: (path) => (counted.get(path)?.values ?? []).map((v) => v.value) };
  }, [view.fields, view.facts, counted]);

  const fromFacets = compose(
    { kind: 'all', facets: search.facets },
    {
      shapeOf: (field) => view.fields.find((f) => f.field === field)?.shape ?? 'text',
    },
  ).filter;
  const id = useId();
  return (
    <section className={classes.expert} aria-label="Expert filter">
      <div className={classes.box} data-bad={fault ? true : undefined}>
        <CelEditor
          value={draft}
          label="Filter as a CEL expression"
          describedBy={id}
          placeholder={'entity.spec.type == "service" && "group:default/payments" in relations.ownedBy'}
          words={words}
          fault={fault}
          onChange={setDraft}
          onSubmit={use}
          autoFocus={!inUse}
        />
        <ActionIcon
          {...tip('Close and remove')}
          variant="subtle"
          color="gray"
          className={classes.close}
          aria-label="Close and remove the expert filter"
          onClick={() => {
            if (inUse) use('');
            props.close();
          }}
        >
          <IconX size={15} />
        </ActionIcon>
      </div>
      <div className={classes.foot}>
        <div id={id} className={classes.says} role="status" data-bad={fault ? true : undefined}>
          {error ? (
            <>
              <IconAlertTriangle size={14} aria-hidden />
              <span>{withoutHint(error)}</span>
            </>
          ) : (
            <span>A CEL expression, beside the filters. Ctrl+Space completes, Enter applies.</span>
          )}
        </div>
        {fromFacets ? (
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => {
              const own = draft.trim();
              const both = own && good ? `${fromFacets} && (${own})` : fromFacets;
              setDraft(both);
              set((now) => ({ ...explicit(now), facets: undefined, filter: both }), { push: true });
            }}
          >
            Show the filters as CEL
          </Button>
        ) : null}
      </div>
      {error instanceof ApiError && error.hint ? <p className={classes.hint}>{error.hint}</p> : null}
    </section>
  );
}

/** The message without the hint, which stands below it. */
function withoutHint(error: Error): string {
  const hint = error instanceof ApiError ? error.hint : '';
  return hint && error.message.endsWith(`; ${hint}`) ? error.message.slice(0, -hint.length - 2) : error.message;
}
