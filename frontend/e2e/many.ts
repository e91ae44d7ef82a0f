import type { Clones } from './waypost';

const words =
  'payment order invoice customer stock price search mail image audit report basket refund ledger route'.split(' ');
const roles = 'service gateway worker store proxy index client relay planner archive'.split(' ');
const pick = <T>(of: T[], n: number): T => of[n % of.length] as T;

/** Commits a catalog of so many entities: components of 200 teams, in 300 systems, a hundred in each repository. */
export function commitMany(clones: Clones, count: number): void {
  const all = [
    ...Array.from({ length: 200 }, (_, i) => group(i)),
    ...Array.from({ length: 300 }, (_, i) => system(i)),
    ...Array.from({ length: count - 500 }, (_, i) => component(i)),
  ];
  for (let i = 0; i < all.length; i += 100)
    clones.commit(`part-${String(i / 100).padStart(4, '0')}`, {
      'catalog-info.yaml': all.slice(i, i + 100).join('---\n'),
    });
}

const head = (kind: string, name: string, more: string) =>
  `apiVersion: backstage.io/v1alpha1\nkind: ${kind}\nmetadata:\n  name: ${name}\n${more}`;

const group = (i: number) => head('Group', `team-${i}`, 'spec:\n  type: team\n  children: []\n');

const system = (i: number) => head('System', `${pick(words, i)}-${i}`, `spec:\n  owner: team-${i % 200}\n`);

function component(i: number): string {
  const word = pick(words, i * 7);
  const role = pick(roles, i * 3 + Math.floor(i / 10));
  const other = pick(words, i * 11 + 5);
  return head(
    'Component',
    `${word}-${role}-${i}`,
    `  title: ${word} ${role} ${i}
  description: Keeps the ${other} of each ${word}, and tells ${pick(words, i + 3)} ${role}s what changed.
  tags: [${pick(['go', 'java', 'python', 'node', 'rust'], i)}, ${other}]
  annotations:
    github.com/project-slug: acme/${word}-${role}-${i}
spec:
  type: ${pick(['service', 'library', 'website'], i)}
  lifecycle: ${pick(['production', 'experimental', 'deprecated'], i * 5 + Math.floor(i / 100))}
  owner: team-${i % 200}
  system: ${pick(words, i % 300)}-${i % 300}
  dependsOn: [component:${pick(words, (i + 1) * 7)}-${pick(roles, (i + 1) * 3 + Math.floor((i + 1) / 10))}-${i + 1}]
`,
  );
}
