import { BaseEdge, EdgeLabelRenderer, type EdgeProps, type Edge as FlowEdge } from '@xyflow/react';
import classes from './Graph.module.css';
import { relationSays } from './relations';
import { labelPoint, roundedPath } from './route';
import type { Edge } from './shape';

export type LineEdge = FlowEdge<
  { edge: Edge; points: { x: number; y: number }[]; label: boolean; strong: boolean; dim: boolean },
  'line'
>;

/** A relation, along the way that the layout found around the nodes. */
export function RelationLine(props: EdgeProps<LineEdge>) {
  const { data, sourceX, sourceY, targetX, targetY } = props;
  if (!data) return null;
  const points =
    data.points.length > 1
      ? data.points
      : [
          { x: sourceX, y: sourceY },
          { x: targetX, y: targetY },
        ];
  const middle = labelPoint(points);
  return (
    <>
      <BaseEdge
        path={roundedPath(points)}
        className={`${classes.line} ${data.strong ? classes.strong : ''} ${data.dim ? classes.dimLine : ''}`}
        markerStart={props.markerStart}
        markerEnd={props.markerEnd}
        interactionWidth={14}
      />
      {data.label ? (
        <EdgeLabelRenderer>
          <div
            className={classes.lineLabel}
            style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
          >
            {relationSays(data.edge.type)}
          </div>
        </EdgeLabelRenderer>
      ) : null}
    </>
  );
}
