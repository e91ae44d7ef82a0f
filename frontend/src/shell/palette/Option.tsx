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
import { Command } from 'cmdk';
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

/** A line of the palette. */
export function Option({ entry, onRun }: { entry: Entry; onRun: () => void }) {
  const Icon = (entry.kind ? kindOf(entry.kind).icon : icons[entry.id]) ?? IconArrowRight;
  return (
    <Command.Item
      value={entry.id}
      onSelect={onRun}
      onMouseDown={(e) => e.preventDefault()}
      className={classes.option}
      title={entry.kind ? entry.id : undefined}
    >
      <Icon size={17} stroke={1.6} aria-hidden />
      <span className={`${classes.title} clip`}>
        <Marked text={entry.title} ranges={entry.ranges} />
      </span>
      <span className={`${classes.about} clip`}>{entry.about}</span>
      {entry.end ? <span className={`${classes.end} clip`}>{entry.end}</span> : null}
    </Command.Item>
  );
}
