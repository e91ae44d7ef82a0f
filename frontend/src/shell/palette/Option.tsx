import {
  IconArrowRight,
  IconBook2,
  IconCloudDownload,
  IconFilePlus,
  IconLink,
  IconMoon,
  IconSearch,
  IconUsersGroup,
  type TablerIcon,
} from '@tabler/icons-react';
import { kindOf } from '~/entity/kinds';
import { Marked } from '~/entity/Marked';
import classes from '../Palette.module.css';
import { places } from '../places';
import type { Entry } from './entries';

const icons: Record<string, TablerIcon> = {
  all: IconSearch,
  'do:colours': IconMoon,
  'do:team': IconUsersGroup,
  'do:register': IconFilePlus,
  'do:copy': IconLink,
  'do:harvest': IconCloudDownload,
  'do:docs': IconBook2,
  ...Object.fromEntries(places.map((p) => [`go:${p.to}`, p.icon])),
};

/** A line of the palette. The keyboard stays in the field above; see aria-activedescendant there. */
export function Option(props: {
  id: string;
  entry: Entry;
  active: boolean;
  onPoint: () => void;
  onRun: (apart: boolean) => void;
}) {
  const { entry } = props;
  const Icon = (entry.kind ? kindOf(entry.kind).icon : icons[entry.id]) ?? IconArrowRight;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter in the field runs the active one
    // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
    <div
      id={props.id}
      role="option"
      aria-selected={props.active}
      className={classes.option}
      onMouseMove={props.onPoint}
      onMouseDown={(e) => e.preventDefault()}
      onClick={(e) => props.onRun(e.ctrlKey || e.metaKey)}
      title={entry.kind ? entry.id : undefined}
    >
      <Icon size={17} stroke={1.6} aria-hidden />
      <span className={`${classes.title} clip`}>
        <Marked text={entry.title} ranges={entry.ranges} />
      </span>
      <span className={`${classes.about} clip`}>{entry.about}</span>
      {entry.end ? <span className={`${classes.end} clip`}>{entry.end}</span> : null}
    </div>
  );
}
