import type { Harvest } from '~/api/client';
import { Cell } from '~/parts/Table';
import { Time } from '~/parts/Time';

/** What a harvest spent of the requests that an upstream grants, and what is left. */
export function Requests({ budget }: { budget: Harvest['requests'] }) {
  if (!budget) return <Cell num>–</Cell>;
  const { counted = 0, free = 0, remaining = -1, limit = -1 } = budget;
  const waiting = budget.waiting && budget.waiting !== '0s';
  return (
    <Cell
      num
      below={
        <>
          {free > 0 ? <span>{free.toLocaleString('en')} free</span> : null}
          {free > 0 && remaining >= 0 ? ', ' : null}
          {remaining >= 0 ? (
            <span>
              {remaining.toLocaleString('en')}
              {limit > 0 ? ` of ${limit.toLocaleString('en')}` : ''} left
            </span>
          ) : null}
          {remaining >= 0 && budget.resetTime ? (
            <>
              {' until '}
              <Time at={budget.resetTime} />
            </>
          ) : null}
          {waiting ? <span> (waiting for the limit)</span> : null}
        </>
      }
    >
      {counted.toLocaleString('en')}
    </Cell>
  );
}
