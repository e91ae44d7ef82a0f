import '@xyflow/react/dist/base.css';
import { ActionIcon } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import { MarkerType, Panel, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from '@xyflow/react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { Failure } from '~/parts/Failure';
import { tip } from '~/parts/tip';
import classes from './Graph.module.css';
import { nodeHeight, nodeWidth } from './layout';
import { type CardNode, NodeCard } from './NodeCard';
import { neighbour, readingOrder } from './neighbour';
import { type LineEdge, RelationLine } from './RelationLine';
import { nodeWords, type Shape } from './shape';
import { useLayout } from './useLayout';

/** Below this a node shows its name alone, larger. */
const far = 0.72;
/** Below this even that is too small to read: then a part is shown, and not all. */
const least = 0.42;
/** At the left there is room for the buttons. */
const fit = { padding: { top: '20px', right: '20px', bottom: '20px', left: '56px' }, maxZoom: 1 } as const;

const nodeTypes = { card: NodeCard };
const edgeTypes = { line: RelationLine };

type Props = {
  shape: Shape;
  label: string;
  selected: string | undefined;
  /** Owner whose nodes stand out; empty for all. */
  owner: string;
  onSelect: (ref: string | undefined) => void;
  onOpen: (ref: string) => void;
  onCentre: (ref: string) => void;
};

/** The graph as a picture that one can walk with mouse, touch or keyboard. */
export default function Canvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ shape, label, selected, owner, onSelect, onOpen, onCentre }: Props) {
  const { layout, slow, error } = useLayout(shape.nodes, shape.edges);
  const [hovered, setHovered] = useState<string>();
  const flow = useReactFlow();
  const small = useStore((s) => s.transform[2] < far);
  const frame = useRef<HTMLDivElement>(null);

  const near = useMemo(() => {
    if (!selected) return undefined;
    const refs = new Set([selected]);
    for (const e of shape.edges) {
      if (e.source === selected) refs.add(e.target);
      if (e.target === selected) refs.add(e.source);
    }
    return refs;
  }, [shape, selected]);

  const nodes = useMemo(() => {
    const placed: CardNode[] = [];
    for (const node of shape.nodes) {
      const position = layout?.places.get(node.ref);
      if (!position) continue;
      placed.push({
        id: node.ref,
        type: 'card',
        position,
        width: nodeWidth,
        height: nodeHeight,
        selected: node.ref === selected,
        data: { node, dim: (near ? !near.has(node.ref) : false) || (owner !== '' && node.owner !== owner) },
        ariaLabel: nodeWords(node),
      });
    }
    return placed.sort((a, b) => readingOrder({ id: a.id, ...a.position }, { id: b.id, ...b.position }));
  }, [shape, layout, selected, near, owner]);

  const edges = useMemo(() => {
    const marker = { type: MarkerType.ArrowClosed, width: 16, height: 16 };
    return shape.edges.map((edge): LineEdge => {
      const mine = selected !== undefined && (edge.source === selected || edge.target === selected);
      const strong = mine || hovered === edge.id;
      const forward = edge.right === edge.target;
      const arrow = { ...marker, color: strong ? 'var(--wp-accent)' : 'var(--graph-line)' };
      return {
        id: edge.id,
        type: 'line',
        source: edge.left,
        target: edge.right,
        ...(forward ? { markerEnd: arrow } : { markerStart: { ...arrow, orient: 'auto-start-reverse' } }),
        zIndex: strong ? 1 : 0,
        data: {
          edge,
          points: layout?.routes.get(edge.id) ?? [],
          strong,
          label: strong,
          dim: selected !== undefined && !mine,
        },
      };
    });
  }, [shape, layout, selected, hovered]);

  // A new picture is shown whole, or where it would be too small to read, as on a phone, around what was asked for.
  const root = shape.nodes.find((n) => n.root)?.ref;
  useEffect(() => {
    if (!layout) return;
    void flow.fitView(fit).then(() => {
      const at = root === undefined ? undefined : layout.places.get(root);
      if (at && flow.getZoom() < least) void flow.setCenter(at.x + nodeWidth / 2, at.y + nodeHeight / 2, { zoom: far });
    });
  }, [layout, flow, root]);

  const keys = (event: KeyboardEvent) => {
    const ref = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id;
    if (!ref || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') onOpen(ref);
    else if (event.key === 'c') onCentre(ref);
    else if (event.key.startsWith('Arrow')) {
      const next = neighbour(
        ref,
        event.key,
        nodes.map((n) => ({ id: n.id, ...n.position })),
      );
      if (next) frame.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(next)}"]`)?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  if (error) return <Failure error={error} small />;
  return (
    <div
      className={classes.canvas}
      data-far={small || undefined}
      aria-busy={!layout || undefined}
      ref={frame}
      onKeyDownCapture={keys}
      role="presentation"
    >
      <ReactFlow
        aria-label={label}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        multiSelectionKeyCode={null}
        selectionKeyCode={null}
        zoomOnDoubleClick={false}
        minZoom={0.15}
        maxZoom={1.6}
        onNodeClick={(_, n) => onSelect(n.id)}
        onNodeDoubleClick={(_, n) => onOpen(n.id)}
        onNodesChange={(changes) => {
          for (const c of changes) if (c.type === 'select' && c.selected) onSelect(c.id);
        }}
        onPaneClick={() => onSelect(undefined)}
        onEdgeMouseEnter={(_, e) => setHovered(e.id)}
        onEdgeMouseLeave={() => setHovered(undefined)}
        ariaLabelConfig={{
          'node.a11yDescription.default':
            'Press space to select, Enter to open the page, C to put it in the centre, arrow keys to go to the next.',
        }}
      >
        <Panel position="bottom-left" className={classes.zoom}>
          <ActionIcon {...tip('Zoom in')} variant="default" aria-label="Zoom in" onClick={() => void flow.zoomIn()}>
            <IconPlus size={15} />
          </ActionIcon>
          <ActionIcon {...tip('Zoom out')} variant="default" aria-label="Zoom out" onClick={() => void flow.zoomOut()}>
            <IconMinus size={15} />
          </ActionIcon>
          <ActionIcon
            {...tip('Show all')}
            variant="default"
            aria-label="Show all"
            onClick={() => void flow.fitView(fit)}
          >
            <IconFocusCentered size={15} />
          </ActionIcon>
        </Panel>
      </ReactFlow>
      <div role="status" className={classes.slow} data-on={slow || undefined}>
        {slow ? 'Laying out…' : ''}
      </div>
    </div>
  );
}
