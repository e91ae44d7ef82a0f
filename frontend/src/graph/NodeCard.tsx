import { IconLinkOff } from '@tabler/icons-react';
import { type Node as FlowNode, Handle, type NodeProps, Position } from '@xyflow/react';
import { kindOf } from '~/entity/kinds';
import { shortRef } from '~/entity/ref';
import classes from './Graph.module.css';
import { hueOf, OwnerMark } from './OwnerMark';
import type { Node } from './shape';

export type CardNode = FlowNode<{ node: Node; dim: boolean }, 'card'>;

/** An entity in the graph. Its words for screen readers are on the element that React Flow puts around it. */
export function NodeCard({ data, selected }: NodeProps<CardNode>) {
  const n = data.node;
  const Icon = n.exists ? kindOf(n.parsed.kind).icon : IconLinkOff;
  const hue = hueOf(n.owner);
  return (
    <div
      className={`${classes.card} ${hue.className}`}
      data-owner={hue['data-owner']}
      data-root={n.root || undefined}
      data-missing={!n.exists || undefined}
      data-selected={selected || undefined}
      data-dim={data.dim || undefined}
      title={n.exists ? n.ref : `There is no ${n.ref} in the catalog`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} className={classes.handle} />
      <div className={classes.cardTitle}>
        <Icon size={15} stroke={1.7} aria-hidden />
        <span className="clip">{n.title}</span>
      </div>
      <div className={`${classes.cardRef} clip`}>{shortRef(n.parsed)}</div>
      <div className={classes.cardFoot}>
        <span className="clip">{n.exists ? n.type || kindOf(n.parsed.kind).one : 'Does not exist'}</span>
        {n.owner ? <OwnerMark owner={n.owner} /> : null}
      </div>
      <Handle type="source" position={Position.Right} isConnectable={false} className={classes.handle} />
    </div>
  );
}
