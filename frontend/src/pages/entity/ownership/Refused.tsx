import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiError } from '~/api/errors';
import classes from './Ownership.module.css';

/** Why the server refused, beside what was asked of it. */
export function Refused({ error }: { error: unknown }) {
  if (!error) return null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <p role="alert" className={classes.refused}>
      <IconAlertTriangle size={14} aria-hidden />
      <span>
        {message}
        {error instanceof ApiError && error.hint ? ` ${error.hint}` : ''}
      </span>
    </p>
  );
}
