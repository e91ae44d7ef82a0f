import {
  IconArrowUpRight,
  IconBinaryTree,
  IconCode,
  IconKey,
  IconPencil,
  IconPhone,
  IconSettings,
  IconTag,
  IconUserQuestion,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Entity } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { sourceWords } from '~/entity/ownership';
import { ownerOf } from '~/entity/read';
import classes from './cells.module.css';

const signs: Record<string, TablerIcon> = {
  override: IconPencil,
  codeowners: IconCode,
  property: IconTag,
  inherited: IconBinaryTree,
  permission: IconKey,
  activity: IconUserQuestion,
  paging: IconPhone,
  default: IconSettings,
};

/** The owner, with a sign of where it comes from unless it is declared. */
export function OwnerCell({ entity }: { entity: Entity }) {
  const owner = ownerOf(entity);
  if (!owner) return <span className="soft">–</span>;
  const link = <EntityLink of={owner.ref} missing={!owner.exists} />;
  if (owner.source === 'declared' || owner.source === '') return link;
  const Icon = Object.hasOwn(signs, owner.source) ? (signs[owner.source] ?? IconArrowUpRight) : IconArrowUpRight;
  const words = sourceWords(owner.source);
  return (
    <span className={classes.owner}>
      {link}
      <span className={classes.sign} title={`Owner: ${words}`}>
        <Icon size={13} stroke={1.7} aria-hidden />
        <span className="sr-only">({words})</span>
      </span>
    </span>
  );
}

export function TagsCell({ tags }: { tags: string[] }) {
  return (
    <span className={classes.tags} title={tags.join(', ')}>
      {tags.slice(0, 6).map((tag) => (
        <span key={tag} className={classes.tag}>
          {tag}
        </span>
      ))}
    </span>
  );
}
