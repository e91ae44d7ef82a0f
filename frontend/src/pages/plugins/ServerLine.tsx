import { useQuery } from '@tanstack/react-query';
import { serverQuery } from '~/api/queries';
import { plural } from '~/entity/owned';
import classes from './ServerLine.module.css';

/** What one is asked for who reports a fault. Its place is kept while it loads. */
export function ServerLine() {
  const { data } = useQuery(serverQuery);
  return (
    <section className={classes.line} aria-label="This server">
      {data ? (
        <>
          <span>
            Waypost <code>{data.version || 'without a version'}</code>
          </span>
          <span>revision {data.revision ?? '0'} of the catalog</span>
          <span>
            {plural(data.totalSize ?? 0, 'entity', 'entities')} of {plural(data.sources ?? 0, 'source')}
          </span>
          <span>{data.webhooks ? 'webhooks are heard' : 'no webhooks'}</span>
          {data.authMode === 'AUTH_MODE_NONE' ? <span>no authentication</span> : null}
        </>
      ) : null}
    </section>
  );
}
