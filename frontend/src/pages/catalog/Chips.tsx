import { UnstyledButton } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import classes from './Chips.module.css';
import { valueWords } from './facetValues';
import { cleared, toggled } from './selection';
import type { CatalogView } from './useCatalog';

/** What narrows the list, each with a way to take it back. */
export function Chips({ view }: { view: CatalogView }) {
  const { search, set } = view;
  if (!search.facets && !search.filter) return null;
  const push = { push: true };
  return (
    <ul className={classes.chips} aria-label="Active filters">
      {Object.entries(search.facets ?? {}).flatMap(([field, values]) => {
        const known = view.fields.find((f) => f.field === field);
        if (!known) return [];
        return values.map((value) => (
          <Chip
            key={`${field} ${value}`}
            name={known.title}
            value={valueWords(known, value)}
            remove={() => set((now) => toggled(now, field, value), push)}
          />
        ));
      })}
      {search.filter ? (
        <Chip
          name="Expert"
          value={search.filter}
          code
          remove={() => set((now) => ({ ...now, filter: undefined }), push)}
        />
      ) : null}
      <li>
        <UnstyledButton className={classes.clear} onClick={() => set(cleared, push)}>
          Clear all
        </UnstyledButton>
      </li>
    </ul>
  );
}

function Chip(props: { name: string; value: string; code?: boolean; remove: () => void }) {
  return (
    <li className={classes.chip} title={`${props.name}: ${props.value}`}>
      <span className={classes.name}>{props.name}</span>
      <span className={classes.value} data-code={props.code || undefined}>
        {props.value}
      </span>
      <UnstyledButton
        className={classes.remove}
        onClick={props.remove}
        aria-label={`Remove ${props.name}: ${props.value}`}
      >
        <IconX size={12} stroke={2} aria-hidden />
      </UnstyledButton>
    </li>
  );
}
