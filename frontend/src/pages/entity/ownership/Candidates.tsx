import { IconCheck } from '@tabler/icons-react';
import type { Candidate } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { sourceWords } from '~/entity/ownership';
import { EvidenceList } from '~/facts/EvidenceList';
import { formatPercent, formatWord } from '~/facts/format';
import { Bar } from '~/parts/Bar';
import { Empty } from '~/parts/Empty';
import { Panel } from '~/parts/Panel';
import classes from './Ownership.module.css';

/** Everybody for whom something speaks, in the order in which the sources count. */
export function Candidates({ candidates, ownerRef }: { candidates: Candidate[]; ownerRef: string }) {
  return (
    <Panel title="Candidates" note={candidates.length || undefined} flush>
      {candidates.length === 0 ? (
        <Empty title="Nothing speaks for anybody" small>
          <p>
            Name an owner in <code>spec.owner</code>, in CODEOWNERS, or decide one below.
          </p>
        </Empty>
      ) : (
        <table className={classes.candidates}>
          <caption className="sr-only">Candidates for the owner, those that count first</caption>
          <thead>
            <tr>
              <th scope="col">Owner</th>
              <th scope="col">Source</th>
              <th scope="col" className="num">
                Confidence
              </th>
              <th scope="col">Evidence</th>
            </tr>
          </thead>
          <tbody>
            {candidates.map((c, i) => {
              const wins = !c.rejectedBecause && c.ownerRef !== '' && c.ownerRef === ownerRef;
              return (
                <tr key={i} data-wins={wins || undefined}>
                  <td>
                    <span className={classes.who}>
                      {c.ownerRef ? <EntityLink of={c.ownerRef} missing={!c.exists} /> : 'Nobody'}
                      {wins ? (
                        <span className={classes.wins}>
                          <IconCheck size={13} stroke={2.2} aria-hidden />
                          counts
                        </span>
                      ) : null}
                    </span>
                  </td>
                  <td className={classes.source}>{formatWord(sourceWords(c.source ?? ''))}</td>
                  <td className="num">
                    <span className={classes.confidence}>
                      <Bar share={c.confidence ?? 0} />
                      {formatPercent(c.confidence ?? 0)}
                    </span>
                  </td>
                  <td className={classes.evidence}>
                    <EvidenceList of={c.evidence} limit={6} />
                    {c.rejectedBecause ? <p>Not the owner: {c.rejectedBecause}.</p> : null}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
