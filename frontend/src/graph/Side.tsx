import { Button, UnstyledButton } from '@mantine/core';
import { IconFocus2, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import classes from './Graph.module.css';
import { OwnerMark } from './OwnerMark';
import { type Node, ownerCounts, type Shape, seenFrom } from './shape';

/** Beside the graph: whose the nodes are, and over that what is selected. */
export function Side(props: {
  shape: Shape;
  selected: Node | undefined;
  owner: string;
  onOwner: (owner: string) => void;
  onSelect: (ref: string | undefined) => void;
  onCentre: (ref: string) => void;
}) {
  return (
    <>
      <section className={classes.side} aria-label="Owners in the graph" tabIndex={-1}>
        <Legend {...props} />
      </section>
      {props.selected ? (
        <section className={`${classes.side} ${classes.details}`} aria-label="What is selected" tabIndex={-1}>
          <Details {...props} node={props.selected} />
        </section>
      ) : null}
    </>
  );
}

function Details(props: {
  shape: Shape;
  node: Node;
  onSelect: (ref: string | undefined) => void;
  onCentre: (ref: string) => void;
}) {
  const n = props.node;
  const known = new Map(props.shape.nodes.map((x) => [x.ref, x]));
  const groups = new Map<string, string[]>();
  for (const s of seenFrom(n.ref, props.shape.edges)) groups.set(s.says, [...(groups.get(s.says) ?? []), s.other]);
  return (
    <>
      <h2 className={classes.sideTitle}>{n.title}</h2>
      <dl className={classes.facts}>
        <dt>Kind</dt>
        <dd>{kindOf(n.parsed.kind).one}</dd>
        {n.type ? (
          <>
            <dt>Type</dt>
            <dd className="clip" title={n.type}>
              {n.type}
            </dd>
          </>
        ) : null}
        <dt>Ref</dt>
        <dd style={{ overflowWrap: 'anywhere' }}>
          <code>{n.ref}</code>
        </dd>
        {n.owner ? (
          <>
            <dt>Owner</dt>
            <dd>
              <EntityLink of={n.owner} />
            </dd>
          </>
        ) : null}
      </dl>
      {n.exists ? null : <p>It is named in a relation, but there is no such entity in the catalog.</p>}
      <div className={classes.buttons}>
        {n.exists ? (
          <Button size="xs" renderRoot={(p) => <Link to="/catalog/$namespace/$kind/$name" params={n.parsed} {...p} />}>
            Open
          </Button>
        ) : null}
        {n.root ? null : (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconFocus2 size={14} aria-hidden />}
            onClick={() => props.onCentre(n.ref)}
          >
            Centre here
          </Button>
        )}
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          leftSection={<IconX size={14} aria-hidden />}
          onClick={() => props.onSelect(undefined)}
        >
          Close
        </Button>
      </div>
      {[...groups].map(([says, others]) => (
        <div key={says}>
          <h3 className={classes.sub}>{says.charAt(0).toUpperCase() + says.slice(1)}</h3>
          <ul className={classes.plain}>
            {others.map((ref) => {
              const other = known.get(ref);
              return (
                <li key={ref}>
                  <EntityLink of={ref} title={other?.title} missing={other ? !other.exists : false} />
                </li>
              );
            })}
          </ul>
        </div>
      ))}
    </>
  );
}

function Legend(props: { shape: Shape; owner: string; onOwner: (owner: string) => void }) {
  const owners = ownerCounts(props.shape.nodes);
  return (
    <>
      <h2 className={classes.sideTitle}>Owners</h2>
      {owners.length > 0 ? (
        <ul className={classes.owners}>
          {owners.map((o) => (
            <li key={o.owner}>
              <UnstyledButton
                className={classes.legend}
                aria-pressed={o.owner === props.owner}
                onClick={() => props.onOwner(o.owner === props.owner ? '' : o.owner)}
              >
                <OwnerMark owner={o.owner} />
                <span className="num">{o.count}</span>
              </UnstyledButton>
            </li>
          ))}
        </ul>
      ) : (
        <p className="soft">Nothing here has an owner.</p>
      )}
      <p className={classes.hint}>
        What something stands on is at the right of it; arrows point the way the relation was declared. Click to select,
        double click to open. On the keyboard: Tab and arrow keys go from node to node, Enter opens, C puts it in the
        centre.
      </p>
    </>
  );
}
