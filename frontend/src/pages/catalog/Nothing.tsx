import { Button, Code } from '@mantine/core';
import { IconFilterOff, IconLayoutGrid } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { kindOf } from '~/entity/kinds';
import { Empty } from '~/parts/Empty';
import classes from './Catalog.module.css';
import { allKinds, cleared, explicit, isNarrowed } from './selection';
import type { CatalogView } from './useCatalog';

/** A catalog without anything in it: how it comes to something. */
export function EmptyCatalog() {
  return (
    <Empty icon={IconLayoutGrid} title="Nothing in the catalog yet">
      <p>Start the server with something to read from:</p>
      <p>
        <Code>waypost serve --github-org YOUR-ORG</Code> reads your organisation,
        <br />
        <Code>waypost serve --dir ~/src</Code> reads clones on your disk,
        <br />
        <Code>waypost serve --sample</Code> shows an invented company.
      </p>
      <p>
        Or see{' '}
        <Link to="/harvest" className={classes.underlined}>
          what is harvested
        </Link>{' '}
        and register a file there.
      </p>
    </Empty>
  );
}

/** A selection that selects nothing: how to select something. */
export function NoMatch({ view }: { view: CatalogView }) {
  const { search, kind, set } = view;
  const narrowed = isNarrowed(search);
  const what = kind ? kindOf(kind).many.toLowerCase() : 'entities';
  return (
    <Empty
      icon={IconFilterOff}
      title={narrowed ? `No ${kind ? kindOf(kind).many : 'entities'} match` : `No ${what} in the catalog`}
      actions={
        <>
          {narrowed ? (
            <Button size="xs" variant="default" onClick={() => set(cleared, { push: true })}>
              Clear all filters
            </Button>
          ) : null}
          {kind ? (
            <Button
              size="xs"
              variant="default"
              onClick={() => set((now) => ({ ...now, kind: allKinds }), { push: true })}
            >
              Look in all kinds
            </Button>
          ) : null}
        </>
      }
    >
      {narrowed ? <p>Take a filter away, or look in all kinds.</p> : null}
    </Empty>
  );
}

/** The address came with an expression that is none: what is wrong stands at the expression itself. */
export function FaultyFilter({ view }: { view: CatalogView }) {
  return (
    <Empty
      icon={IconFilterOff}
      title="The expert filter has a fault"
      actions={
        <Button
          size="xs"
          variant="default"
          onClick={() => view.set((now) => ({ ...explicit(now), filter: undefined }), { push: true })}
        >
          Take it away
        </Button>
      }
    >
      <p>Mend it above, and the list is here.</p>
    </Empty>
  );
}
