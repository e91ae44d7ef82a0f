import { Button, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconTopologyStar3 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react';
import { entitiesByRefQuery, graphQuery } from '~/api/queries';
import { formatRef, parseRef, type Ref } from '~/entity/ref';
import { Empty } from '~/parts/Empty';
import { Failure } from '~/parts/Failure';
import type { EntitySearch } from '~/router';
import { Controls } from './Controls';
import classes from './Graph.module.css';
import { List } from './List';
import { typesToFollow } from './relations';
import { Side } from './Side';
import { ownersOf, shapeOf } from './shape';
import { maxDepth, nodeLimit, viewOf } from './view';

const Canvas = lazy(() => import('./Canvas'));

/** More than is drawn, for one step more is asked than is shown. */
const asked = 1000;

/** What stands around an entity: as a picture to walk in, or as a list. */
export function Graph(props: {
  of: Ref;
  /** What the address says. */
  search: EntitySearch;
  /** Changes it; a walk is a step that Back takes back. */
  onSearch: (change: Partial<EntitySearch>, walk: boolean) => void;
}) {
  const self = formatRef(props.of);
  const view = viewOf(props.search, self, props.of.kind);
  const navigate = useNavigate();
  const [selected, select] = useState<string>();
  const [owner, setOwner] = useState('');

  const graph = useQuery(
    graphQuery([view.root], {
      depth: view.depth + 1,
      relationTypes: typesToFollow(view.relations, view.direction),
      kinds: view.kinds.length > 0 ? view.kinds : undefined,
      limit: asked,
    }),
  );
  const refs = useMemo(
    () => shapeOf(graph.data, { roots: [], depth: view.depth, limit: nodeLimit }, new Map()).nodes,
    [graph.data, view.depth],
  );
  const entities = useQuery(
    entitiesByRefQuery(
      refs.filter((n) => n.exists).map((n) => n.ref),
      'name,relations,facts',
    ),
  );
  const shape = useMemo(
    () =>
      shapeOf(graph.data, { roots: [view.root], depth: view.depth, limit: nodeLimit }, ownersOf(entities.data ?? [])),
    [graph.data, entities.data, view.root, view.depth],
  );

  const centre = (ref: string) => {
    select(undefined);
    props.onSearch({ root: ref === self ? undefined : ref }, true);
  };
  const open = (ref: string) => {
    const params = parseRef(ref);
    if (params && shape.nodes.some((n) => n.ref === ref && n.exists))
      void navigate({ to: '/catalog/$namespace/$kind/$name', params });
  };
  const change = (c: Partial<EntitySearch>) => props.onSearch(c, false);

  let content: ReactNode;
  if (graph.error && !graph.data) content = <Failure error={graph.error} retry={() => void graph.refetch()} />;
  else if (!graph.data) content = <Skeleton className={classes.wait} radius={0} />;
  else if (shape.nodes.length <= 1)
    content = (
      <Empty
        icon={IconTopologyStar3}
        title="Nothing is related to it in this way"
        actions={
          <Button
            size="xs"
            variant="default"
            onClick={() => change({ direction: undefined, kinds: undefined, relations: undefined })}
          >
            Show the usual relations
          </Button>
        }
      >
        <p>
          Choose other relations, kinds or directions above. Relations are declared in the entity's file, such as{' '}
          <code>spec.dependsOn</code> or <code>spec.providesApis</code>.
        </p>
      </Empty>
    );
  else if (view.list) content = <List shape={shape} onCentre={centre} />;
  else
    content = (
      <div className={classes.split}>
        <Suspense fallback={<Skeleton className={classes.wait} radius={0} />}>
          <Canvas
            shape={shape}
            label={`Graph around ${view.root}`}
            selected={selected}
            owner={owner}
            onSelect={select}
            onOpen={open}
            onCentre={centre}
          />
        </Suspense>
        <Side
          shape={shape}
          selected={shape.nodes.find((n) => n.ref === selected)}
          owner={owner}
          onOwner={setOwner}
          onSelect={select}
          onCentre={centre}
        />
      </div>
    );

  return (
    <section className={classes.frame} aria-label="Dependencies">
      <Controls view={view} shape={shape} onChange={change} />
      {view.root === self ? null : (
        <div className={classes.note} data-plain>
          <span style={{ overflowWrap: 'anywhere' }}>
            The centre is <code>{view.root}</code>
          </span>
          <Button size="compact-xs" variant="default" onClick={() => centre(self)}>
            Back to {props.of.name}
          </Button>
        </div>
      )}
      <Cut nodes={shape.nodesCut} edges={shape.edgesCut} depth={view.depth} onLess={() => change({ depth: 1 })} />
      {content}
    </section>
  );
}

/** What is not shown, and how to see it. */
function Cut(props: { nodes: boolean; edges: boolean; depth: number; onLess: () => void }) {
  if (!props.nodes && !props.edges) return null;
  return (
    <div className={classes.note} role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <span>
        {props.nodes
          ? `More than ${nodeLimit} entities are within ${props.depth === maxDepth ? 'these' : props.depth} steps: only the nearest ${nodeLimit} are shown. `
          : 'All entities are shown, but some relations between the outermost ones are not. '}
        Choose fewer steps, one direction, or fewer kinds or relations to see all.
      </span>
      {props.depth > 1 ? (
        <Button size="compact-xs" variant="default" onClick={props.onLess}>
          One step
        </Button>
      ) : null}
    </div>
  );
}
