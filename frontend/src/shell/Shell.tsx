import { ActionIcon, Burger, Kbd, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconBook2, IconCloudOff, IconDeviceDesktop, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useRouter, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { Live } from '~/api/live';
import { tip } from '~/parts/tip';
import { followLinks } from './followLinks';
import { places } from './places';
import classes from './Shell.module.css';

const loadPalette = () => import('./Palette');
const Palette = lazy(loadPalette);
const Tips = lazy(() => import('./Tips'));

/** The house that every page stands in: where one is, how to get elsewhere, and whether what one sees is alive. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure();
  const [palette, setPalette] = useState(false);
  const [somebody, setSomebody] = useState(false);
  const path = useRouterState({ select: (s) => s.location.pathname });
  const client = useQueryClient();
  const [live] = useState(() => new Live(client));
  useEffect(() => live.start(), [live]);
  const router = useRouter();
  useEffect(() => followLinks(router), [router]);
  // Loaded at the first sign of somebody there, which is before it is wanted, or the first letters would be typed into nothing.
  useEffect(() => {
    const signs = ['pointermove', 'pointerdown', 'keydown'] as const;
    const load = () => {
      for (const sign of signs) window.removeEventListener(sign, load);
      void loadPalette();
      setSomebody(true);
    };
    for (const sign of signs) window.addEventListener(sign, load, { passive: true });
    return () => {
      for (const sign of signs) window.removeEventListener(sign, load);
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when one has arrived
  useEffect(() => close(), [path, close]);
  useHotkeys(
    [
      ['mod+K', () => setPalette(true)],
      ['/', () => setPalette(true)],
    ],
    ['INPUT', 'TEXTAREA', 'SELECT'],
  );

  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip}>
        Skip to content
      </a>
      <header className={classes.header}>
        <Burger
          opened={opened}
          onClick={toggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={opened ? 'Close menu' : 'Open menu'}
        />
        <Link to="/" className={classes.brand} aria-label="Waypost, home">
          <img src="/icon.svg" alt="" width={22} height={22} />
          <span>Waypost</span>
        </Link>
        <UnstyledButton className={classes.search} onClick={() => setPalette(true)} aria-label="Search the catalog">
          <IconSearch size={15} stroke={1.8} aria-hidden />
          <span className={classes.searchWords}>Search services, teams, pages…</span>
          <span className={classes.keys} aria-hidden>
            <Kbd size="xs">{navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'}</Kbd>
            <Kbd size="xs">K</Kbd>
          </span>
        </UnstyledButton>
        <Scheme />
      </header>

      <nav aria-label="Main" className={classes.navbar} data-open={opened || undefined}>
        <div className={classes.nav}>
          {places.map((p, i) => (
            <div key={p.to}>
              {p.group !== places[i - 1]?.group && p.group ? <div className={classes.group}>{p.group}</div> : null}
              <Link
                to={p.to}
                className={classes.place}
                activeOptions={{ exact: p.to === '/', includeSearch: false }}
                activeProps={{ 'aria-current': 'page' }}
              >
                <p.icon size={17} stroke={1.6} aria-hidden />
                {p.label}
              </Link>
            </div>
          ))}
        </div>
        <div className={classes.foot}>
          <a href="/docs" className={classes.place}>
            <IconBook2 size={17} stroke={1.6} aria-hidden />
            API
          </a>
          <LiveSign live={live} />
        </div>
      </nav>

      <main id="content" tabIndex={-1} className={classes.main}>
        <Away live={live} />
        <Outlet />
      </main>
      {somebody ? (
        <Suspense>
          <Tips />
        </Suspense>
      ) : null}
      {palette ? (
        <Suspense>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}

function LiveSign({ live }: { live: Live }) {
  const state = useSyncExternalStore(live.subscribe, live.state);
  const words = { connecting: 'Connecting…', live: 'Live', offline: 'Reconnecting…' }[state];
  return (
    <div
      {...tip(state === 'live' ? 'What changes on the server changes here' : 'What you see may be old')}
      className={classes.live}
      data-state={state}
      role="status"
    >
      <span className={classes.dot} aria-hidden />
      {words}
    </div>
  );
}

/** Tells that the server has been away for a while, without moving the page for a blink. */
function Away({ live }: { live: Live }) {
  const state = useSyncExternalStore(live.subscribe, live.state);
  const [long, setLong] = useState(false);
  useEffect(() => {
    if (state !== 'offline') {
      setLong(false);
      return;
    }
    const timer = setTimeout(() => setLong(true), 4000);
    return () => clearTimeout(timer);
  }, [state]);
  if (!long) return null;
  return (
    <div className={classes.away} role="alert">
      <IconCloudOff size={16} aria-hidden />
      The server does not answer. What you see is from before; the page goes on by itself once it is back.
    </div>
  );
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = { auto: 'light', light: 'dark', dark: 'auto' } as const;
  const [Icon, words] = {
    auto: [IconDeviceDesktop, 'as the system'] as const,
    light: [IconSun, 'light'] as const,
    dark: [IconMoon, 'dark'] as const,
  }[colorScheme];
  return (
    <ActionIcon
      {...tip(`Colours: ${words}`)}
      variant="subtle"
      color="gray"
      size="lg"
      onClick={() => setColorScheme(next[colorScheme])}
      aria-label={`Colours: ${words}. Change to ${next[colorScheme]}`}
    >
      <Icon size={18} stroke={1.6} />
    </ActionIcon>
  );
}
