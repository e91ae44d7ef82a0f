import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Entity } from '~/api/client';
import { entityQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { relationsOf } from '~/entity/read';
import { parseRef, type Ref, refOf } from '~/entity/ref';
import classes from './Header.module.css';

const nothing: Ref = { kind: '', namespace: '', name: '' };

/** Catalog, its kind, and what it is part of: domain, then system. */
export function Breadcrumb({ entity }: { entity: Entity }) {
  const kind = refOf(entity).kind;
  const parent = parentOf(entity);
  const { data } = useQuery({ ...entityQuery(parent ?? nothing), enabled: parent !== undefined, retry: false });
  const above = parent && data ? parentOf(data) : undefined;
  return (
    <nav aria-label="Where this is" className={classes.path}>
      <ol>
        <li>
          <Link to="/catalog" search={{ kind }}>
            {kindOf(kind).many}
          </Link>
        </li>
        {[above, parent].map((ref) =>
          ref ? (
            <li key={`${ref.kind}/${ref.name}`}>
              <EntityLink of={ref} />
            </li>
          ) : null,
        )}
      </ol>
    </nav>
  );
}

/** What an entity is part of, if it is there. A component in a component is in the other one's system too. */
function parentOf(entity: Entity): Ref | undefined {
  const all = relationsOf(entity, 'partOf').filter((r) => r.targetExists);
  const of = all.find((r) => r.targetRef?.startsWith('system:')) ?? all[0];
  return of?.targetRef ? parseRef(of.targetRef) : undefined;
}
