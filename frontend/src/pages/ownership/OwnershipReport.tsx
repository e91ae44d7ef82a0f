import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { ownershipReportQuery } from '~/api/queries';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { Rows } from '~/parts/Rows';
import { Views } from '~/parts/Views';
import { CoverageTable } from './CoverageTable';
import { ownedPercent, percent, shares, sourceWords } from './coverage';
import { FindOwner } from './FindOwner';
import classes from './OwnershipReport.module.css';
import { ShareBar } from './ShareBar';
import { ToMend } from './ToMend';

const Trend = lazy(() => import('./Trend'));
const route = getRouteApi('/ownership');

/** How far it is known who owns what, where that knowledge comes from, and what to mend first. */
export default function OwnershipReport() {
  const { by = 'mend', repository, path, status } = route.useSearch();
  const { data, error, isPending, refetch } = useQuery(ownershipReportQuery('', 400));
  const total = data?.total;
  const views = [
    { name: 'mend', words: 'To mend', rows: data?.unowned },
    { name: 'groups', words: 'By owner', rows: data?.groups },
    { name: 'systems', words: 'By system', rows: data?.systems },
    { name: 'domains', words: 'By domain', rows: data?.domains },
    { name: 'kinds', words: 'By kind', rows: data?.kinds },
  ];
  const rows = { groups: data?.groups, systems: data?.systems, domains: data?.domains, kinds: data?.kinds }[by];
  return (
    <Page title="Ownership" about="How far it is known who owns what, where that comes from, and what to mend first.">
      {isPending ? <Rows label="Ownership figures" count={6} /> : null}
      {error && !data ? <Failure error={error} retry={refetch} /> : null}
      {data ? (
        <>
          <div className={classes.top}>
            <Panel title="Owned">
              <p className={classes.big}>
                {percent(ownedPercent(total))}
                <span>
                  {Number(total?.owned ?? 0).toLocaleString('en')} of{' '}
                  {Number(total?.entities ?? 0).toLocaleString('en')} that may have an owner
                </span>
              </p>
              {(data.samples?.length ?? 0) > 1 ? (
                <Suspense fallback={<div className={classes.trend} />}>
                  <Trend samples={data.samples ?? []} />
                </Suspense>
              ) : (
                <p className="soft">A figure is kept each day; from the second on they are drawn here.</p>
              )}
            </Panel>
            <Panel title="Where owners come from">
              <ShareBar shares={shares(total?.sources, sourceWords)} label="Where owners come from" />
            </Panel>
            <FindOwner key={`${repository} ${path}`} repository={repository ?? ''} path={path ?? ''} />
          </div>
          <Views
            label="Views of the report"
            current={by}
            views={views.map((v) => ({
              name: v.name,
              words: v.words,
              count: v.rows?.length ?? 0,
              search: { repository, path, by: v.name === 'mend' ? undefined : v.name },
            }))}
          />
          {by === 'mend' || !rows ? (
            <ToMend unowned={data.unowned ?? []} drifting={Number(total?.drifting ?? 0)} status={status ?? ''} />
          ) : (
            <CoverageTable by={by} rows={rows} />
          )}
        </>
      ) : null}
    </Page>
  );
}
