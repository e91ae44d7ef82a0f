import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useMyTeam } from '../remembered';
import type { Entry } from './entries';

/** What the palette can do beside going somewhere. */
export function useActions(): { entries: Entry[]; run: (id: string) => void } {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const [mine, setMine] = useMyTeam();
  const navigate = useNavigate();
  const entries: Entry[] = [
    { id: 'do:team', title: mine ? 'Pick another team' : 'Pick my team', words: 'change my team mine home' },
    {
      id: 'do:colours',
      title: dark ? 'Light colours' : 'Dark colours',
      words: 'theme dark light mode toggle colours colors scheme',
    },
    { id: 'do:copy', title: 'Copy link to this page', words: 'share url address' },
    {
      id: 'do:register',
      title: 'Register a location',
      words: 'add new file catalog-info import component',
      href: '/harvest?view=locations&register=url',
    },
    { id: 'do:harvest', title: 'Run a harvest', words: 'refresh sync sources now', href: '/harvest' },
    { id: 'do:docs', title: 'Open the API documentation', words: 'api docs rest openapi reference', href: '/docs' },
  ];
  const run = (id: string) => {
    if (id === 'do:colours') setColorScheme(dark ? 'light' : 'dark');
    if (id === 'do:copy') void navigator.clipboard?.writeText(window.location.href);
    if (id === 'do:team') {
      setMine('');
      navigate({ to: '/', search: {} });
    }
  };
  return { entries, run };
}
