type Node = { type: string; tagName?: string; properties?: Record<string, unknown>; children?: Node[] };

/**
 * For rehype: headings begin at a level and skip none, so that the outline of the
 * page stays one, whatever a text begins with. Names of places are taken away:
 * two texts on one page would share them.
 */
export function levelHeadings(from: number) {
  return (tree: Node): void => {
    const headings: Node[] = [];
    const walk = (node: Node) => {
      if (node.properties) delete node.properties.id;
      if (node.type === 'element' && /^h[1-6]$/.test(node.tagName ?? '')) headings.push(node);
      for (const child of node.children ?? []) walk(child);
    };
    walk(tree);
    const levelOf = (node: Node) => Number(node.tagName?.slice(1));
    const highest = Math.min(...headings.map(levelOf));
    let before = from - 1;
    for (const heading of headings) {
      before = Math.min(from + levelOf(heading) - highest, before + 1, 6);
      heading.tagName = `h${before}`;
    }
  };
}
