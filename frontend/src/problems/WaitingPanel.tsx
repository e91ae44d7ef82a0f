import { Link } from '@tanstack/react-router';
import { plural } from '~/entity/owned';
import type { OwnedState } from '~/entity/useOwned';
import { Panel } from '~/parts/Panel';
import { Status } from '~/parts/Status';
import { ProblemList } from '~/problems/ProblemList';

const top = 4;

/** The problems that wait for an owner, the worst of them in full. */
export function WaitingPanel(props: { title: string; owned: OwnedState; owner: string }) {
  const { problems, errors, warnings } = props.owned;
  const n = errors + warnings;
  if (n === 0)
    return (
      <Panel title={props.title} actions={<Status tone="good">None</Status>} flush className="one-line">
        {null}
      </Panel>
    );
  return (
    <Panel
      title={props.title}
      note={n.toLocaleString('en')}
      actions={
        <Link to="/problems" search={{ owner: props.owner }}>
          See all<span className="sr-only"> problems of this owner</span>
        </Link>
      }
      flush
    >
      <ProblemList problems={problems.slice(0, top)} withEntity short />
      {n > top ? (
        <p className="sr-only">
          {plural(errors, 'error')} and {plural(warnings, 'warning')} in all
        </p>
      ) : null}
    </Panel>
  );
}
