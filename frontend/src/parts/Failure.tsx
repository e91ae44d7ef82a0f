import { Button, Code } from '@mantine/core';
import { IconCloudOff, IconLock, IconMoodPuzzled, IconRefresh } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { ApiError, unreachable } from '~/api/errors';
import { Empty } from './Empty';
import { Page } from './Page';

const advice: Record<string, [string, string]> = {
  UNREACHABLE: [
    'The server cannot be reached',
    'Is it running, and are you online? What you see may be old until it is back.',
  ],
  UNAVAILABLE: ['The server is not ready', 'It is starting or stopping. This goes by itself.'],
  DEADLINE_EXCEEDED: ['That took too long', 'Ask for less, or try again in a moment.'],
  RESOURCE_EXHAUSTED: ['Too much at once', 'The server limits how much one may ask for. Try again in a moment.'],
  PERMISSION_DENIED: ['You may not see this', 'Ask whoever runs this Waypost for the right to.'],
  UNAUTHENTICATED: ['You are not signed in', 'Sign in and come back to this page.'],
  INTERNAL: ['The server failed', 'The cause is in its log, under the request id below.'],
};

/** A part of the portal that could not be loaded, in the words of browsers and Vite: no page has a fault then. */
const unloaded = /dynamically imported module|preload CSS|Importing a module script failed/;

/** What went wrong, in plain words, with what to do next. */
export function Failure(props: { error: unknown; retry?: () => void; small?: boolean }) {
  const missing = props.error instanceof Error && unloaded.test(props.error.message);
  const error = missing ? unreachable(props.error) : props.error;
  const [title, next] = (error instanceof ApiError && advice[error.code]) || [
    error instanceof ApiError ? 'That did not work' : 'This page has a fault',
    '',
  ];
  const code = error instanceof ApiError ? error.code : '';
  const icon =
    code === 'UNREACHABLE' || code === 'UNAVAILABLE'
      ? IconCloudOff
      : code.startsWith('PERM') || code.startsWith('UNAUTH')
        ? IconLock
        : IconMoodPuzzled;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert">
      <Empty
        icon={icon}
        title={title}
        small={props.small}
        actions={
          props.retry ? (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} />}
              onClick={missing ? () => location.reload() : props.retry}
            >
              Try again
            </Button>
          ) : undefined
        }
      >
        {code === 'UNREACHABLE' ? null : <p>{message}</p>}
        {error instanceof ApiError && error.hint ? <p>{error.hint}</p> : null}
        {next ? <p>{next}</p> : null}
        {error instanceof ApiError && error.requestId ? (
          <p>
            Request <Code>{error.requestId}</Code>
          </p>
        ) : null}
      </Empty>
    </div>
  );
}

/** A page that threw. The rest of the portal goes on. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="Something broke">
      <Failure error={error} retry={reset} />
    </Page>
  );
}
