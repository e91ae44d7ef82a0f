import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { facetsQuery } from '~/api/queries';
import { compareKinds, kindOf } from '~/entity/kinds';
import classes from './Systems.module.css';

const unassigned = 'entity.kind in ["Component", "API", "Resource"] && !has(entity.spec.system)';

/** What belongs to no system, so that somebody gives it a place. */
export function Unassigned() {
  const { data } = useQuery(facetsQuery(['kind'], unassigned));
  const kinds = [...(data?.facets?.[0]?.values ?? [])].sort((a, b) =>
    compareKinds((a.value ?? '').toLowerCase(), (b.value ?? '').toLowerCase()),
  );
  if (kinds.length === 0) return null;
  return (
    <section className={classes.domain} aria-label="Not in a system">
      <div className={classes.domainHead}>
        <h2 className={classes.domainTitle}>Not in a system</h2>
        <span className="soft">
          Name one in <code>spec.system</code> of their files.
        </span>
      </div>
      <ul className={classes.loose}>
        {kinds.map(({ value = '', count = 0 }) => {
          const kind = kindOf(value);
          return (
            <li key={value}>
              <Link
                to="/catalog"
                search={{ kind: value.toLowerCase(), filter: '!has(entity.spec.system)' }}
                className={classes.count}
              >
                <kind.icon size={15} stroke={1.6} aria-hidden />
                {count.toLocaleString('en')} {count === 1 ? kind.one : kind.many}
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
