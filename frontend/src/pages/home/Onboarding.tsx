import { ActionIcon, CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Page } from '~/parts/Page';
import { Panel } from '~/parts/Panel';
import { tip } from '~/parts/tip';
import classes from './Onboarding.module.css';

const ways = [
  {
    what: 'A GitHub organisation',
    why: 'Repositories, teams, people and CODEOWNERS; a token in GITHUB_TOKEN.',
    command: 'waypost serve --github-org YOUR-ORG',
  },
  {
    what: 'Folders of repositories',
    why: 'What is checked out on this machine, without any network.',
    command: 'waypost serve --dir ~/src',
  },
  {
    what: 'A sample organisation',
    why: 'To look around first: an invented company with a hundred things.',
    command: 'waypost serve --sample',
  },
];

/** The catalog is empty: how it is filled. */
export function Onboarding() {
  return (
    <Page
      title="Welcome to Waypost"
      name="Home"
      about="The catalog is empty. Nobody has to write anything down first: Waypost reads what there is and works out what it is and who owns it."
    >
      <Panel title="Start the server with a source" flush>
        <div className={classes.ways}>
          {ways.map((w) => (
            <div key={w.command} className={classes.way}>
              <div>
                <div className={classes.what}>{w.what}</div>
                <p className={classes.why}>{w.why}</p>
              </div>
              <Command text={w.command} />
            </div>
          ))}
        </div>
      </Panel>
      <p className={classes.after}>
        A source is there already? <Link to="/harvest">See how its harvest goes</Link>, or register a single file there.
        This page fills by itself.
      </p>
    </Page>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className={classes.command}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <code tabIndex={0}>{text}</code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            {...tip(copied ? 'Copied' : 'Copy')}
            variant="subtle"
            color="gray"
            onClick={copy}
            aria-label={`Copy: ${text}`}
          >
            {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  );
}
