import { UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { Status } from '~/parts/Status';
import { Allowed } from './Allowed';
import classes from './Definition.module.css';
import type { Body, Operation, Parameter } from './read';
import { SchemaTree } from './SchemaTree';
import { describeSchema } from './schema';
import { Words } from './Words';

/** Colours by what a method does to what is there; the word is what counts. */
const tones: Record<string, string> = {
  GET: 'info',
  HEAD: 'info',
  QUERY: 'info',
  POST: 'good',
  PUBLISH: 'good',
  SEND: 'good',
  PUT: 'warn',
  PATCH: 'warn',
  DELETE: 'bad',
  SUBSCRIBE: 'info',
  RECEIVE: 'info',
};

/** An operation: a line, and all about it below once it is opened. */
export function OperationRow({ doc, operation: o }: { doc: unknown; operation: Operation }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const Icon = open ? IconChevronDown : IconChevronRight;
  return (
    <li className={classes.operation}>
      <UnstyledButton
        className={classes.line}
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon size={14} aria-hidden className={classes.chevron} />
        <span className={classes.method} data-tone={tones[o.method]}>
          {o.method}
        </span>
        <code className={classes.path} data-deprecated={o.deprecated || undefined}>
          {o.path}
        </code>
        {o.deprecated ? <Status tone="warn">Deprecated</Status> : null}
        {o.summary ? (
          <span className={`${classes.summary} clip`} title={o.summary}>
            {o.summary}
          </span>
        ) : null}
      </UnstyledButton>
      {open ? (
        <div id={id} className={classes.detail}>
          {o.description ? <Words text={o.description} /> : null}
          {o.parameters.length > 0 ? <Parameters doc={doc} parameters={o.parameters} of={o.id} /> : null}
          {o.bodies.map((b, i) => (
            <BodyView key={i} doc={doc} body={b} />
          ))}
          {!o.description && o.parameters.length === 0 && o.bodies.length === 0 ? (
            <p className="soft">The definition says no more about it.</p>
          ) : null}
        </div>
      ) : null}
    </li>
  );
}

function Parameters({ doc, parameters, of }: { doc: unknown; parameters: Parameter[]; of: string }) {
  return (
    <>
      <h4 className={classes.part}>Parameters</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.scroll} tabIndex={0} aria-label={`Parameters of ${of}`}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">In</th>
              <th scope="col">Type</th>
              <th scope="col">About</th>
            </tr>
          </thead>
          <tbody>
            {parameters.map((p) => {
              const d = describeSchema(doc, p.schema);
              return (
                <tr key={`${p.place} ${p.name}`}>
                  <td>
                    <code className={classes.property}>{p.name}</code>
                    {p.required ? <span className={classes.required}> required</span> : null}
                    {p.deprecated ? <span className={classes.deprecated}> deprecated</span> : null}
                  </td>
                  <td>{p.place}</td>
                  <td>{d.type}</td>
                  <td>
                    {p.description ? <Words text={p.description} /> : null}
                    <Allowed by={d} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </>
  );
}

function BodyView({ doc, body }: { doc: unknown; body: Body }) {
  return (
    <>
      <h4 className={classes.part}>{body.title}</h4>
      {body.description ? <Words text={body.description} /> : null}
      {body.contents.map((c, i) => (
        <div key={i} className={classes.content}>
          {c.media ? <div className={classes.media}>{c.media}</div> : null}
          {c.schema === undefined ? null : <SchemaTree doc={doc} schema={c.schema} open />}
        </div>
      ))}
    </>
  );
}
