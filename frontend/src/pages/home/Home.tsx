import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { facetsQuery } from '~/api/queries';
import { parseRef } from '~/entity/ref';
import { Failure } from '~/parts/Failure';
import { Page } from '~/parts/Page';
import { Rows } from '~/parts/Rows';
import { useMyTeam } from '~/shell/remembered';
import { Onboarding } from './Onboarding';
import { PickTeam } from './PickTeam';
import { TeamHome } from './TeamHome';

const route = getRouteApi('/');

/** What is the reader's: of the team in the address, else of the one that the browser remembers. */
export default function Home() {
  const { team } = route.useSearch();
  const navigate = route.useNavigate();
  const [mine, setMine] = useMyTeam();
  const [picking, setPicking] = useState(false);
  const ref = parseRef(team ?? mine, { kind: 'group' });
  const kinds = useQuery({ ...facetsQuery(['kind']), enabled: !ref });

  // So that the address can be sent to somebody else.
  useEffect(() => {
    if (!team && mine) navigate({ search: { team: mine }, replace: true });
  }, [team, mine, navigate]);

  const pick = (chosen: string) => {
    setMine(chosen);
    setPicking(false);
    navigate({ search: { team: chosen } });
  };

  if (ref && !picking)
    return <TeamHome key={`${ref.kind}:${ref.namespace}/${ref.name}`} of={ref} onChange={() => setPicking(true)} />;
  if (kinds.isError)
    return (
      <Page title="Home">
        <Failure error={kinds.error} retry={() => kinds.refetch()} />
      </Page>
    );
  if (!ref && kinds.isPending)
    return (
      <Page title="Home">
        <Rows label="Teams" />
      </Page>
    );
  if (!ref && kinds.data?.totalSize === 0) return <Onboarding />;
  return <PickTeam current={mine} onPick={pick} onCancel={ref ? () => setPicking(false) : undefined} />;
}
