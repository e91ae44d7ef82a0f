import { UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { Allowed } from './Allowed';
import classes from './Definition.module.css';
import { describeSchema } from './schema';
import { Words } from './Words';

type Props = { doc: unknown; schema: unknown; name?: string; required?: boolean; above?: string[]; open?: boolean };

/** A schema, level by level as it is opened: what leads to itself has no end, and need not have one. */
export function SchemaTree({ doc, schema, name, required, above = [], open: first = false }: Props) {
  const [open, setOpen] = useState(first);
  const id = useId();
  const d = describeSchema(doc, schema);
  const circle = d.ref !== '' && above.includes(d.ref);
  const parents = d.ref ? [...above, d.ref] : above;
  const opens = d.children.length > 0;
  const words = (
    <>
      {name === undefined ? null : <code className={classes.property}>{name}</code>}
      <span className={classes.type}>{d.type}</span>
      {required ? <span className={classes.required}>required</span> : null}
      {d.deprecated ? <span className={classes.deprecated}>deprecated</span> : null}
      {circle ? <span className="soft">as above</span> : null}
    </>
  );
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <div className={classes.schema}>
      {opens ? (
        <UnstyledButton
          className={classes.schemaHead}
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          onClick={() => setOpen(!open)}
        >
          <Icon size={13} aria-hidden className={classes.chevron} />
          {words}
        </UnstyledButton>
      ) : (
        <div className={classes.schemaHead}>
          <span className={classes.chevron} />
          {words}
        </div>
      )}
      {d.description || d.limits.length > 0 || d.values.length > 0 ? (
        <div className={classes.about}>
          {d.description ? <Words text={d.description} /> : null}
          <Allowed by={d} />
        </div>
      ) : null}
      {open && opens ? (
        <ul id={id} className={classes.children}>
          {d.children.map((c, i) => (
            <li key={i}>
              <SchemaTree doc={doc} schema={c.schema} name={c.name} required={c.required} above={parents} />
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
