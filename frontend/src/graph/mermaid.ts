import { relationSays } from './relations';
import type { Shape } from './shape';

/** The graph as a Mermaid flowchart, for READMEs and chats. Names are text: quotes and signs are written as entities. */
export function toMermaid({ nodes, edges }: Pick<Shape, 'nodes' | 'edges'>): string {
  const ids = new Map(nodes.map((n, i) => [n.ref, `n${i}`]));
  const lines = ['flowchart LR'];
  for (const n of nodes) {
    const [open, close] = n.root ? ['(["', '"])'] : n.exists ? ['["', '"]'] : ['{{"', '"}}'];
    const ref = n.exists ? n.ref : `${n.ref} (missing)`;
    lines.push(`  ${ids.get(n.ref)}${open}${quoted(n.title)}<br/>${quoted(ref)}${close}`);
  }
  for (const e of edges)
    lines.push(`  ${ids.get(e.source)} -->|"${quoted(relationSays(e.type))}"| ${ids.get(e.target)}`);
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:/_()-]/gu, (c) => `#${c.codePointAt(0)};`);
}
