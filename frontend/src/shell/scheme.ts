import { localStorageColorSchemeManager } from '@mantine/core';

/** Kept under the name that public/scheme.js reads before the first paint. */
export const schemeManager = localStorageColorSchemeManager({ key: 'waypost.scheme' });
