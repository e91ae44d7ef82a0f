import { Button, CopyButton, SegmentedControl } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { kindOf, kindOrder } from '~/entity/kinds';
import type { EntitySearch } from '~/router';
import { Choice } from './Choice';
import classes from './Graph.module.css';
import { toMermaid } from './mermaid';
import { type Direction, relationSays, relationTypes } from './relations';
import type { Shape } from './shape';
import { type GraphView, maxDepth } from './view';

const words: Record<Direction, string> = { both: 'Both', out: 'Outgoing', in: 'Incoming', impact: 'Impact' };

/** What of the graph one sees; all of it is in the address. */
export function Controls(props: { view: GraphView; shape: Shape; onChange: (change: Partial<EntitySearch>) => void }) {
  const { view, shape, onChange } = props;
  const kinds = [...new Set([...kindOrder, ...view.kinds, ...shape.nodes.map((n) => n.parsed.kind)])];
  return (
    <div className={classes.bar}>
      <Field name="Steps">
        <SegmentedControl
          size="xs"
          aria-label="Steps from the centre"
          value={String(view.depth)}
          onChange={(v) => onChange({ depth: Number(v) })}
          data={Array.from({ length: maxDepth }, (_, i) => String(i + 1))}
        />
      </Field>
      <Field name="Direction">
        <SegmentedControl
          size="xs"
          aria-label="Direction of relations"
          value={view.direction}
          onChange={(v) => onChange({ direction: v === 'both' ? undefined : v })}
          data={Object.entries(words).map(([value, label]) => ({ value, label }))}
        />
      </Field>
      <Field name="Relations">
        <Choice
          label="Relations"
          none="None"
          options={relationTypes.map((value) => ({ value, words: relationSays(value) }))}
          chosen={view.relations}
          onChange={(relations) => onChange({ relations: relations.length > 0 ? relations : undefined })}
        />
      </Field>
      <Field name="Kinds">
        <Choice
          label="Kinds"
          none="All kinds"
          options={kinds.map((value) => ({ value, words: kindOf(value).many }))}
          chosen={view.kinds}
          onChange={(chosen) => onChange({ kinds: chosen.length > 0 ? chosen : undefined })}
        />
      </Field>
      <div className={classes.end}>
        <CopyButton value={toMermaid(shape)}>
          {({ copied, copy }) => (
            <Button
              size="xs"
              variant="default"
              fw={500}
              disabled={shape.nodes.length === 0}
              onClick={copy}
              leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
            >
              {copied ? 'Copied' : 'Copy as Mermaid'}
            </Button>
          )}
        </CopyButton>
        <SegmentedControl
          size="xs"
          aria-label="Show as"
          value={view.list ? 'list' : 'graph'}
          onChange={(v) => onChange({ view: v === 'list' ? 'list' : undefined })}
          data={[
            { value: 'graph', label: 'Graph' },
            { value: 'list', label: 'List' },
          ]}
        />
      </div>
    </div>
  );
}

function Field(props: { name: string; children: React.ReactNode }) {
  return (
    <div className={classes.field}>
      <span className={classes.fieldName} aria-hidden>
        {props.name}
      </span>
      {props.children}
    </div>
  );
}
