import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import subset from 'subset-font';
import type { Plugin } from 'vite';

const whole = createRequire(import.meta.url).resolve('@fontsource-variable/inter/files/inter-latin-wght-normal.woff2');

/** Where the small Inter is; font.css calls it inter-small. */
export const inter = fileURLToPath(new URL('./node_modules/.cache/inter.woff2', import.meta.url));

const letters = (from: number, to: number) =>
  String.fromCodePoint(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
const latin = `${letters(0x20, 0x7e) + letters(0xa0, 0xff) + letters(0x2010, 0x2044)}ıŒœ€™←↑→↓−`;

// A value of its own, for the types do not know keepFeatures yet.
const options = {
  targetFormat: 'woff2' as const,
  keepFeatures: ['ccmp', 'kern', 'locl', 'mark', 'mkmk', 'tnum', 'cv05', 'ss03'],
  variationAxes: { wght: { min: 400, max: 700 } },
};

/**
 * Makes Inter of what is in use: Latin letters, weights from 400 to 700, figures of one width and the
 * two letter forms of app.css. It has less than half the bytes then, and "->" stays as it was typed.
 */
export function smallInter(): Plugin {
  return {
    name: 'small-inter',
    async buildStart() {
      await mkdir(dirname(inter), { recursive: true });
      await writeFile(inter, await subset(await readFile(whole), latin, options));
    },
  };
}
