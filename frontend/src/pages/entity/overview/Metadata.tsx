import { IconChevronRight } from '@tabler/icons-react';
import type { Entity } from '~/api/client';
import { Copy } from '~/parts/Copy';
import { Outside } from '~/parts/Outside';
import { safeHref } from '~/parts/safeHref';
import classes from './Overview.module.css';

/** Labels and annotations: for machines mostly, so that they are folded away. */
export function Metadata({ entity }: { entity: Entity }) {
  const sets = [
    ['Labels', entity.metadata?.labels ?? {}],
    ['Annotations', entity.metadata?.annotations ?? {}],
  ] as const;
  return sets.map(([name, values]) => {
    const all = Object.entries(values).sort(([a], [b]) => a.localeCompare(b));
    if (all.length === 0) return null;
    return (
      <details key={name} className={classes.fold}>
        <summary>
          <IconChevronRight size={15} stroke={1.8} aria-hidden />
          {name}
          <span className="soft">{all.length}</span>
        </summary>
        <dl className={classes.stacked}>
          {all.map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>
                <span>{safeHref(value) ? <Outside href={value} /> : String(value)}</span>
                <Copy text={String(value)} label={`Copy ${key}`} />
              </dd>
            </div>
          ))}
        </dl>
      </details>
    );
  });
}
