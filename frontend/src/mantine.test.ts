import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const core = resolve(import.meta.dirname, '../node_modules/@mantine/core');
const read = (path: string) => readFileSync(path, 'utf8');
const namesIn = (list: string) =>
  list
    .split(',')
    .map((n) => n.trim().split(' as ').pop()?.trim() ?? '')
    .filter((n) => n && !n.startsWith('type '));

/** What the sources import from Mantine. */
function used(): Set<string> {
  const out = new Set<string>();
  for (const file of readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue;
    const imports = read(join(import.meta.dirname, file)).matchAll(/import\s*{([^}]*)}\s*from '@mantine\/core'/g);
    for (const m of imports) for (const n of namesIn(m[1] ?? '')) out.add(n);
  }
  return out;
}

/** The style sheets of what is imported and of all that it imports in its turn. */
function needed(): Set<string> {
  const out = new Set<string>();
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const m of read(file).matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
      const target = resolve(dirname(file), m[1] ?? '');
      if (target.endsWith('.module.mjs')) out.add(basename(target, '.module.mjs'));
      else visit(target);
    }
  };
  const names = used();
  for (const m of read(join(core, 'esm/index.mjs')).matchAll(/import\s*{([^}]*)}\s*from "([^"]+)"/g)) {
    if (namesIn(m[1] ?? '').some((n) => names.has(n))) visit(resolve(core, 'esm', m[2] ?? ''));
  }
  return out;
}

test('the styles of every component in use are imported, and no others', () => {
  const sheets = [...read(join(import.meta.dirname, 'mantine.css')).matchAll(/styles\/(.+)\.layer\.css/g)].map(
    (m) => m[1],
  );
  const base = ['baseline', 'default-css-variables', 'global'];
  const want = [...needed()].filter((n) => existsSync(join(core, `styles/${n}.layer.css`)));
  expect(want.length).toBeGreaterThan(20);
  expect([...sheets].sort()).toEqual([...base, ...want].sort());
});
