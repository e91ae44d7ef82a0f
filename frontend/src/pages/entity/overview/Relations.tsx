import { Button } from '@mantine/core';
import { IconTopologyStar3 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Entity, Relation } from '~/api/client';
import { batchQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { Lifecycle } from '~/entity/Lifecycle';
import { ownerOf, specText } from '~/entity/read';
import { formatRef, parseRef, type Ref, refOf } from '~/entity/ref';
import { byType, relationWords } from '~/entity/relations';
import { Empty } from '~/parts/Empty';
import { Panel } from '~/parts/Panel';
import classes from './Relations.module.css';

const few = 6;
const fields = 'name,kind,metadata.name,metadata.title,spec.type,spec.lifecycle,facts';

/** What the entity is tied to, in both directions, by how. */
export function Relations({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  // The owner is in the header already.
  const groups = useMemo(
    () => byType((entity.relations ?? []).filter((r) => r.type !== 'ownedBy')),
    [entity.relations],
  );
  const [shown, setShown] = useState<Record<string, number>>({});
  const rows = groups.map(([type, all]) => [type, all, all.slice(0, shown[type] ?? few)] as const);
  const refs = rows.flatMap(([, , some]) => some.filter((r) => r.targetExists).map((r) => r.targetRef ?? ''));
  const { data } = useQuery(batchQuery([...new Set(refs)].sort(), fields));
  const known = useMemo(() => new Map((data?.entities ?? []).map((e) => [formatRef(refOf(e)), e])), [data]);

  if (groups.length === 0)
    return (
      <Panel title="Relations">
        <Empty icon={IconTopologyStar3} title="It is tied to nothing yet" small>
          <p>
            Fields of its catalog file tie it: <code>spec.system</code>, <code>spec.dependsOn</code>,{' '}
            <code>spec.providesApis</code> and others.
          </p>
        </Empty>
      </Panel>
    );
  return (
    <Panel title="Relations" note={groups.reduce((n, [, all]) => n + all.length, 0)} flush>
      {rows.map(([type, all, some]) => (
        <section key={type} className={classes.group} aria-label={relationWords(type)}>
          <h3 className={classes.type}>
            {relationWords(type)} <span className="soft">{all.length}</span>
          </h3>
          <table className={classes.table} aria-label={relationWords(type)}>
            <thead className="sr-only">
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Type</th>
                <th scope="col">Lifecycle</th>
                <th scope="col">Owner</th>
              </tr>
            </thead>
            <tbody>
              {some.map((r) => (
                <Row key={r.targetRef} relation={r} entity={known.get(r.targetRef ?? '')} from={entityRef} />
              ))}
            </tbody>
          </table>
          {some.length < all.length ? (
            <Button
              variant="subtle"
              size="compact-xs"
              className={classes.more}
              onClick={() => setShown({ ...shown, [type]: some.length + 100 })}
            >
              {all.length - some.length > 100 ? 'Show 100 more' : `Show ${all.length - some.length} more`}
              <span className="sr-only"> of {relationWords(type)}</span>
            </Button>
          ) : null}
        </section>
      ))}
    </Panel>
  );
}

function Row(props: { relation: Relation; entity: Entity | undefined; from: Ref }) {
  const { relation, entity } = props;
  const ref = parseRef(relation.targetRef ?? '');
  const owner = ownerOf(entity);
  return (
    <tr>
      <td className={classes.name}>
        <EntityLink of={relation.targetRef ?? ''} title={entity?.metadata?.title} missing={!relation.targetExists} />
      </td>
      <td className={classes.kind}>
        {ref ? kindOf(ref.kind).one : ''}
        {specText(entity, 'type') ? <span> · {specText(entity, 'type')}</span> : null}
      </td>
      <td className={classes.lifecycle}>
        {relation.targetExists ? <Lifecycle of={specText(entity, 'lifecycle')} plain /> : 'not in the catalog'}
      </td>
      <td className={classes.owner}>{owner ? <EntityLink of={owner.ref} missing={!owner.exists} /> : null}</td>
    </tr>
  );
}
