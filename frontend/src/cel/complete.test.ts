import { expect, it } from 'vitest';
import { suggest, type Vocabulary } from './complete';

const words: Vocabulary = {
  fields: [
    { path: 'spec.type' },
    { path: 'facts["ownership.status"]', about: 'Ownership' },
    { path: 'relations.ownedBy' },
  ],
  values: (path) => (path === 'spec.type' ? ['service', 'say "hi"'] : path.startsWith('facts') ? ['owned'] : []),
};
const at = (text: string) => suggest(text, text.length, words);

it('suggests fields where a word begins or goes on', () => {
  expect(at('')?.options.map((o) => o.label)).toContain('entity.spec.type');
  expect(at('a && entity.sp')).toMatchObject({ from: 5 });
  expect(at('"go" in rel')).toMatchObject({ from: 8 });
  expect(at('facts["own')).toMatchObject({ from: 0 });
});

it('suggests values where a field is compared, quoted', () => {
  expect(at('entity.spec.type == ')).toEqual({
    from: 20,
    options: [
      { label: 'service', apply: '"service"' },
      { label: 'say "hi"', apply: '"say \\"hi\\""' },
    ],
  });
  expect(at('entity.spec.type == "ser')?.from).toBe(20);
  expect(at('entity.spec.type in ["a", "ser')?.from).toBe(26);
  expect(at('x && facts["ownership.status"] != "')?.options[0]?.apply).toBe('"owned"');
});

it('keeps quiet within texts of which it knows nothing', () => {
  expect(at('entity.spec.other == "x')).toBeUndefined();
  expect(at('ref.startsWith("comp')).toBeUndefined();
});
