import { createTheme, type MantineColorsTuple } from '@mantine/core';

// The signpost's teal, and greys with a little of it, so that surfaces belong to it.
const trail: MantineColorsTuple = [
  '#e6f7f4',
  '#cdeee8',
  '#9fdfd4',
  '#6ccfbf',
  '#3fbfac',
  '#1fa996',
  '#0f8f7f',
  '#0f766e',
  '#115e59',
  '#134e4a',
];
const gray: MantineColorsTuple = [
  '#f7f9f9',
  '#eff3f3',
  '#e1e8e7',
  '#cdd6d5',
  '#aebab9',
  '#84918f',
  '#61706e',
  '#475553',
  '#303b3a',
  '#1c2526',
];
const dark: MantineColorsTuple = [
  '#dfe7e6',
  '#b7c3c2',
  '#94a3a1',
  '#6e7d7b',
  '#3a4847',
  '#2a3534',
  '#1f2928',
  '#161e1e',
  '#101717',
  '#0a0f0f',
];

export const theme = createTheme({
  primaryColor: 'trail',
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.3,
  colors: { trail, gray, dark },
  fontFamily: "'Inter Variable', ui-sans-serif, system-ui, sans-serif",
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '10px', xl: '16px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});
