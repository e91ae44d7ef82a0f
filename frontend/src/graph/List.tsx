import { ActionIcon } from '@mantine/core';
import { IconFocus2 } from '@tabler/icons-react';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { tip } from '~/parts/tip';
import classes from './Graph.module.css';
import { OwnerMark } from './OwnerMark';
import { byDistance, type Shape } from './shape';

/** How many ways to a node are told before they are only counted. */
const waysTold = 3;

/** The same graph in words: what is how far away, and by which relations. */
export function List(props: { shape: Shape; onCentre: (ref: string) => void }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.scroll} tabIndex={0} aria-label="Graph as a list">
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Entity</th>
            <th scope="col">Type</th>
            <th scope="col">Owner</th>
            <th scope="col">Relation</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        {byDistance(props.shape).map(({ distance, steps }) => (
          <tbody key={distance}>
            <tr>
              <th colSpan={5} scope="rowgroup">
                {distance === 0 ? 'Centre' : distance === 1 ? '1 step away' : `${distance} steps away`}
                <span className="soft"> {distance === 0 ? '' : steps.length}</span>
              </th>
            </tr>
            {steps.map(({ node, ways }) => (
              <tr key={node.ref}>
                <td>
                  <EntityLink of={node.ref} title={node.title} missing={!node.exists} />
                </td>
                <td className="clip" title={node.type}>
                  {node.type || kindOf(node.parsed.kind).one}
                </td>
                <td>{node.owner ? <OwnerMark owner={node.owner} /> : <span className="soft">–</span>}</td>
                <td>
                  {ways.slice(0, waysTold).map((w) => (
                    <div key={`${w.from.ref} ${w.says}`} className="clip" title={w.from.ref}>
                      {w.from.title} <span className="soft">{w.says}</span> it
                    </div>
                  ))}
                  {ways.length > waysTold ? (
                    <div className="soft">and {ways.length - waysTold} more relations</div>
                  ) : null}
                </td>
                <td>
                  {node.root ? null : (
                    <ActionIcon
                      {...tip('Centre here')}
                      variant="subtle"
                      color="gray"
                      size="sm"
                      aria-label={`Centre on ${node.title}`}
                      onClick={() => props.onCentre(node.ref)}
                    >
                      <IconFocus2 size={15} />
                    </ActionIcon>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </section>
  );
}
