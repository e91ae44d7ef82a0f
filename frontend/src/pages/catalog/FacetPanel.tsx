import { TextInput, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { memo, useId, useState } from 'react';
import { kindOf } from '~/entity/kinds';
import { parseRef } from '~/entity/ref';
import { figure } from '~/parts/figure';
import classes from './FacetPanel.module.css';
import type { FacetField } from './facets';
import { type Choice, choicesOf } from './facetValues';
import type { CatalogSearch } from './search';
import { toggled, withChoice } from './selection';
import type { CatalogView } from './useCatalog';
import type { Counted } from './useFacets';

const short = 8;
const long = 200;

/** All facets, one below the other. */
export const FacetPanel = memo(function FacetPanel(props: {
  fields: FacetField[];
  choices: CatalogSearch['facets'];
  searching: boolean;
  set: CatalogView['set'];
  counted: Map<string, Counted>;
  isOpen: (field: FacetField) => boolean;
  setOpen: (field: string, open: boolean) => void;
  /** All values of this facet are asked for. */
  deepen: (field: string) => void;
}) {
  const { set } = props;
  return (
    <div className={classes.panel}>
      {props.searching ? (
        <p className={classes.note}>Counts are for the filters, without the words searched for.</p>
      ) : null}
      {props.fields.map((f) => (
        <FacetGroup
          key={f.field}
          field={f}
          counted={props.counted.get(f.field)}
          chosen={props.choices?.[f.field] ?? []}
          open={props.isOpen(f)}
          setOpen={(open) => props.setOpen(f.field, open)}
          deepen={() => props.deepen(f.field)}
          toggle={(value) => set((now) => toggled(now, f.field, value), { push: true })}
          clear={() => set((now) => withChoice(now, f.field, []), { push: true })}
        />
      ))}
    </div>
  );
});

function FacetGroup(props: {
  field: FacetField;
  counted: Counted | undefined;
  chosen: string[];
  open: boolean;
  setOpen: (open: boolean) => void;
  deepen: () => void;
  toggle: (value: string) => void;
  clear: () => void;
}) {
  const { field, counted, chosen } = props;
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState('');
  const id = useId();
  const choices = choicesOf(field, counted, chosen);
  const some = wanted ? choices.filter((c) => c.words.toLowerCase().includes(wanted.toLowerCase())) : choices;
  const shown = some.slice(0, all ? long : Math.max(short, chosen.length));
  const hidden = some.length - shown.length + (wanted ? 0 : (counted?.more ?? 0));
  return (
    <section className={classes.facet} aria-labelledby={id}>
      <div className={classes.head}>
        <h2 className={classes.title} id={id}>
          <UnstyledButton
            className={classes.fold}
            aria-expanded={props.open}
            onClick={() => props.setOpen(!props.open)}
          >
            <IconChevronRight size={13} stroke={2} aria-hidden className={classes.chevron} />
            {field.title}
          </UnstyledButton>
        </h2>
        {chosen.length > 0 ? (
          <UnstyledButton className={classes.clear} onClick={props.clear} aria-label={`Clear ${field.title}`}>
            Clear
          </UnstyledButton>
        ) : null}
      </div>
      {props.open ? (
        <>
          {all && (choices.length > 12 || counted?.more) ? (
            <TextInput
              size="xs"
              className={classes.search}
              placeholder="Find a value"
              aria-label={`Find a value of ${field.title}`}
              value={wanted}
              onChange={(e) => setWanted(e.currentTarget.value)}
            />
          ) : null}
          {counted ? (
            <ul className={classes.values} aria-label={field.title}>
              {shown.map((c) => (
                <ChoiceLine key={c.value} field={field} choice={c} toggle={props.toggle} />
              ))}
              {shown.length === 0 ? (
                <li className={classes.nothing}>{wanted ? 'No such value' : 'No values here'}</li>
              ) : null}
            </ul>
          ) : (
            <div className={classes.skeleton} aria-hidden />
          )}
          {hidden > 0 && shown.length < long ? (
            <UnstyledButton
              className={classes.more}
              onClick={() => {
                setAll(true);
                if (counted?.more) props.deepen();
              }}
            >
              Show {figure(hidden)} more<span className="sr-only"> of {field.title}</span>
            </UnstyledButton>
          ) : null}
          {hidden > 0 && shown.length >= long ? <p className={classes.nothing}>Find the others by name</p> : null}
          {all && hidden === 0 && choices.length > short && !wanted ? (
            <UnstyledButton className={classes.more} onClick={() => setAll(false)}>
              Show fewer<span className="sr-only"> of {field.title}</span>
            </UnstyledButton>
          ) : null}
        </>
      ) : null}
    </section>
  );
}

type Choosing = { field: FacetField; choice: Choice; toggle: (value: string) => void };

const ChoiceLine = memo(function ChoiceLine({ field, choice, toggle }: Choosing) {
  const ref = field.refs ? parseRef(choice.value) : undefined;
  const Icon = ref ? kindOf(ref.kind).icon : undefined;
  return (
    <li>
      <label
        className={classes.choice}
        title={choice.words === choice.value ? choice.words : `${choice.words} (${choice.value})`}
      >
        <input type="checkbox" checked={choice.chosen} onChange={() => toggle(choice.value)} />
        {Icon ? <Icon size={14} stroke={1.6} aria-hidden className={classes.icon} /> : null}
        <span className={classes.words} data-none={choice.words !== choice.value && !ref ? true : undefined}>
          {choice.words}
        </span>
        {choice.count === undefined ? null : <span className={classes.count}>{figure(choice.count)}</span>}
      </label>
    </li>
  );
}, sameChoice);

/** Whichever toggle it has: each of a field does the same, to what the address says then. */
function sameChoice(a: Choosing, b: Choosing): boolean {
  const [x, y] = [a.choice, b.choice];
  return (
    a.field.field === b.field.field &&
    x.value === y.value &&
    x.words === y.words &&
    x.count === y.count &&
    x.chosen === y.chosen
  );
}
