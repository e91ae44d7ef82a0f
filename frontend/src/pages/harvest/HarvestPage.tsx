import { Button } from '@mantine/core';
import { IconMapPinPlus, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useAction } from '~/api/actions';
import { answer, api } from '~/api/client';
import { locationsQuery, problemSummaryQuery, sourcesQuery } from '~/api/queries';
import { Page } from '~/parts/Page';
import { Views } from '~/parts/Views';
import { Jobs } from './Jobs';
import { Locations } from './Locations';
import { Register } from './Register';
import { Repositories } from './Repositories';
import { Runs } from './Runs';
import { Sources } from './Sources';

const route = getRouteApi('/harvest');

/** Where the catalog comes from, and how fresh it is. */
export default function HarvestPage() {
  const { view = 'sources', register, source } = route.useSearch();
  const navigate = route.useNavigate();
  const sources = useQuery(sourcesQuery);
  const locations = useQuery(locationsQuery);
  const byRepository = useQuery(problemSummaryQuery('repository'));
  const all = useAction(
    (names: string[]) => Promise.all(names.map((s) => answer(api.POST('/v1/harvests', { body: { source: s } })))),
    ['harvest'],
  );
  const names = (sources.data?.sources ?? []).map((s) => s.name ?? '').filter((n) => n !== '');
  return (
    <Page
      title="Harvest"
      about="Where the catalog comes from, how fresh it is, and what could not be read."
      actions={
        <>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={all.isPending}
            disabled={names.length === 0}
            onClick={() => all.mutate(names)}
          >
            Run all now
          </Button>
          <Button
            size="xs"
            renderRoot={(p) => <Link {...p} to="/harvest" search={{ view: 'locations', register: 'url' }} />}
            leftSection={<IconMapPinPlus size={14} />}
          >
            Register a location
          </Button>
        </>
      }
    >
      <Views
        label="Views of the harvest"
        current={view}
        views={[
          { name: 'sources', words: 'Sources', count: sources.data ? names.length : undefined, search: {} },
          { name: 'runs', words: 'Runs', search: { view: 'runs' } },
          {
            name: 'locations',
            words: 'Locations',
            count: locations.data ? (locations.data.locations?.length ?? 0) : undefined,
            search: { view: 'locations' },
          },
          {
            name: 'problems',
            words: 'Problems by repository',
            count: byRepository.data ? (byRepository.data.counts?.length ?? 0) : undefined,
            search: { view: 'problems' },
          },
          { name: 'jobs', words: 'Jobs', search: { view: 'jobs' } },
        ]}
      />
      {view === 'sources' ? <Sources /> : null}
      {view === 'runs' ? <Runs source={source ?? ''} sources={names} /> : null}
      {view === 'problems' ? <Repositories /> : null}
      {view === 'jobs' ? <Jobs /> : null}
      {view === 'locations' ? (
        <>
          {register ? <Register target={register} onClose={() => navigate({ search: { view: 'locations' } })} /> : null}
          <Locations />
        </>
      ) : null}
    </Page>
  );
}
