import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconInfoCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Status.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'none';

const icons: Record<Tone, TablerIcon> = {
  good: IconCircleCheck,
  warn: IconAlertTriangle,
  bad: IconCircleX,
  info: IconInfoCircle,
  none: IconCircleDashed,
};

/** A state as icon, word and colour, never colour alone. */
export function Status(props: { tone: Tone; children: ReactNode; plain?: boolean; icon?: TablerIcon }) {
  const Icon = props.icon ?? icons[props.tone];
  return (
    <span className={classes.status} data-tone={props.tone} data-plain={props.plain || undefined}>
      <Icon size={14} stroke={2} aria-hidden />
      <span>{props.children}</span>
    </span>
  );
}
