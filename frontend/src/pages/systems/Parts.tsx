import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { entitiesQuery } from '~/api/queries';
import { EntityLink } from '~/entity/EntityLink';
import { compareKinds } from '~/entity/kinds';
import { specText, titleOf } from '~/entity/read';
import { formatRef, refOf } from '~/entity/ref';
import { Failure } from '~/parts/Failure';
import { Faults } from './DomainSection';
import classes from './Systems.module.css';

const first = 50;

/** What a system is made of, asked for when one wants to see it. */
export function Parts(props: { of: string; faults: ReadonlyMap<string, number> }) {
  const parts = useQuery(
    entitiesQuery({
      filter: `${JSON.stringify(props.of)} in relations.partOf`,
      fields: 'name,metadata.name,metadata.title,spec.type',
      pageSize: first,
    }),
  );
  if (parts.error) return <Failure small error={parts.error} retry={() => void parts.refetch()} />;
  if (!parts.data) return <Skeleton height={120} aria-label="Parts are loading" />;
  const entities = [...(parts.data.entities ?? [])].sort(
    (a, b) => compareKinds(refOf(a).kind, refOf(b).kind) || titleOf(a).localeCompare(titleOf(b)),
  );
  const rest = (parts.data.totalSize ?? entities.length) - entities.length;
  return (
    <>
      <ul className={classes.partList}>
        {entities.map((e) => {
          const ref = refOf(e);
          return (
            <li key={formatRef(ref)}>
              <EntityLink of={ref} title={titleOf(e)} />
              <span className="soft clip" title={specText(e, 'type')}>
                {specText(e, 'type')}
              </span>
              <Faults count={props.faults.get(formatRef(ref)) ?? 0} />
            </li>
          );
        })}
      </ul>
      {rest > 0 ? (
        <Link to="/catalog" search={{ facets: { 'relations.partOf': [props.of] } }}>
          {rest} more in the catalog
        </Link>
      ) : null}
    </>
  );
}
