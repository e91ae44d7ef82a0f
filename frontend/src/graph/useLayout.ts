import { useEffect, useState } from 'react';
import { type Layout, layOut } from './layout';
import type { Edge, Node } from './shape';

/** Below this one sees only a blink. */
const patience = 300; // ms

/** The places of the nodes; the last ones stay while new ones are found. */
export function useLayout(nodes: Node[], edges: Edge[]): { layout: Layout | undefined; slow: boolean; error: unknown } {
  const [layout, setLayout] = useState<Layout>();
  const [slow, setSlow] = useState(false);
  const [error, setError] = useState<unknown>();
  // What stands where depends on names alone: owners that come later move nothing.
  const key = JSON.stringify([nodes.map((n) => n.ref), edges.map((e) => e.id)]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key says what of them counts
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => setSlow(true), patience);
    layOut(nodes, edges)
      .then(
        (found) => {
          if (!current) return;
          setLayout(found);
          setError(undefined);
        },
        (cause: unknown) => {
          if (current) setError(cause);
        },
      )
      .finally(() => {
        clearTimeout(timer);
        if (current) setSlow(false);
      });
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key]);
  return { layout, slow, error };
}
