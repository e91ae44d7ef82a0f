import { Button } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useState } from 'react';
import type { FieldChange } from '~/api/client';
import classes from './History.module.css';
import { valueWords } from './words';

const few = 12;

/** What changed, field by field: before, and after. */
export function ChangeList({ changes }: { changes: FieldChange[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? changes : changes.slice(0, few);
  return (
    <div>
      <table className={classes.fields} aria-label="Changed fields">
        <thead className="sr-only">
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before and after</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((c) => (
            <tr key={c.field}>
              <th scope="row">
                <code>{c.field}</code>
              </th>
              <td>
                <Values before={valueWords(c.before)} after={valueWords(c.after)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < changes.length ? (
        <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)}>
          Show {changes.length - shown.length} more fields
        </Button>
      ) : null}
    </div>
  );
}

function Values({ before, after }: { before: string | undefined; after: string | undefined }) {
  return (
    <span className={classes.values}>
      {before !== undefined ? (
        <del>
          <span className="sr-only">before: </span>
          {before || '(empty)'}
        </del>
      ) : (
        <span className="soft">added</span>
      )}
      <IconArrowRight size={13} aria-hidden />
      {after !== undefined ? (
        <ins>
          <span className="sr-only">after: </span>
          {after || '(empty)'}
        </ins>
      ) : (
        <span className="soft">removed</span>
      )}
    </span>
  );
}
