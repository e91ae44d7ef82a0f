import ELK, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk-api';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { Edge, Node } from './shape';

export const nodeWidth = 200;
export const nodeHeight = 68;

type Point = { x: number; y: number };
export type Layout = { places: Map<string, Point>; routes: Map<string, Point[]> };

const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.spacing.nodeNodeBetweenLayers': '44',
  'elk.layered.spacing.edgeNodeBetweenLayers': '20',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '9',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.componentComponent': '28',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'PREFER_EDGES',
};

let elk: InstanceType<typeof ELK> | undefined;

/** Places nodes in layers, in a worker, so that the page goes on meanwhile. */
export async function layOut(nodes: Node[], edges: Edge[]): Promise<Layout> {
  elk ??= new ELK({ workerFactory: () => new Worker(workerUrl) });
  const many = nodes.length > 120;
  const graph: ElkNode = {
    id: 'graph',
    layoutOptions: {
      ...options,
      // What takes long for many does little for them.
      ...(many ? { 'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF', 'elk.layered.thoroughness': '3' } : {}),
      ...(edges.length > 60 ? { 'elk.layered.mergeEdges': 'true' } : {}),
    },
    children: nodes.map((n) => ({ id: n.ref, width: nodeWidth, height: nodeHeight })),
    edges: edges.filter((e) => e.left !== e.right).map((e) => ({ id: e.id, sources: [e.left], targets: [e.right] })),
  };
  const done = await elk.layout(graph);
  return {
    places: new Map((done.children ?? []).map((c) => [c.id, { x: c.x ?? 0, y: c.y ?? 0 }])),
    routes: new Map((done.edges ?? []).map((e) => [e.id, routeOf(e)])),
  };
}

function routeOf(edge: ElkExtendedEdge): Point[] {
  const section = edge.sections?.[0];
  return section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [];
}
