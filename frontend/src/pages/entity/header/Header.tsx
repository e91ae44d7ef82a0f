import { ActionIcon } from '@mantine/core';
import { IconStar, IconStarFilled } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { Entity } from '~/api/client';
import { EntityLink } from '~/entity/EntityLink';
import { kindOf } from '~/entity/kinds';
import { Lifecycle } from '~/entity/Lifecycle';
import { sourceWords } from '~/entity/ownership';
import { ownerOf, relationsOf, specText, titleOf } from '~/entity/read';
import { formatRef, type Ref } from '~/entity/ref';
import { Copy } from '~/parts/Copy';
import { tip } from '~/parts/tip';
import { useStarred } from '~/shell/remembered';
import { Actions } from './Actions';
import { Breadcrumb } from './Breadcrumb';
import classes from './Header.module.css';
import { Links } from './Links';

/** What one must know before all else: what it is, whose it is, and where to go from here. */
export function Header({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const kind = kindOf(entityRef.kind);
  const type = specText(entity, 'type');
  const ref = formatRef(entityRef);
  const tags = (entity.metadata?.tags ?? []).filter((t) => typeof t === 'string');
  return (
    <header className={classes.header}>
      <Breadcrumb entity={entity} />
      <div className={classes.top}>
        <span className={classes.tile} aria-hidden>
          <kind.icon size={22} stroke={1.5} />
        </span>
        <div className={classes.words}>
          <div className={classes.line}>
            <h1 className={classes.title}>{titleOf(entity)}</h1>
            <Star of={ref} />
          </div>
          <div className={classes.about}>
            <span>
              {kind.one}
              {type ? <span className="soft"> · {type}</span> : null}
            </span>
            <span className={classes.ref}>
              <code className="clip" title={ref}>
                {ref}
              </code>
              <Copy text={ref} label="Copy the reference" />
            </span>
          </div>
        </div>
        <Actions entity={entity} entityRef={entityRef} />
      </div>
      <dl className={classes.facts}>
        <Fact name="Lifecycle" shown={specText(entity, 'lifecycle') !== ''}>
          <Lifecycle of={specText(entity, 'lifecycle')} />
        </Fact>
        <OwnerFact entity={entity} entityRef={entityRef} />
        <SystemFact entity={entity} entityRef={entityRef} />
        <Fact name="Tags" shown={tags.length > 0}>
          <ul className={classes.tags}>
            {tags.map((tag) => (
              <li key={tag}>
                <Link to="/catalog" search={{ facets: { 'metadata.tags': [tag] } }} className={classes.tag}>
                  {tag}
                </Link>
              </li>
            ))}
          </ul>
        </Fact>
        <Fact name="Links" shown={(entity.metadata?.links ?? []).length > 0}>
          <Links of={entity.metadata?.links ?? []} />
        </Fact>
      </dl>
    </header>
  );
}

function Fact(props: { name: string; shown: boolean; children: React.ReactNode }) {
  if (!props.shown) return null;
  return (
    <div className={classes.fact}>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function OwnerFact({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  if (['group', 'user', 'location'].includes(entityRef.kind)) return null;
  const owner = ownerOf(entity);
  return (
    <Fact name="Owner" shown>
      {owner ? (
        <>
          <EntityLink of={owner.ref} missing={!owner.exists} />
          <span className={classes.aside}>{owner.source ? sourceWords(owner.source) : ''}</span>
        </>
      ) : (
        <span className={classes.none}>Nobody</span>
      )}
      <Link
        to="/catalog/$namespace/$kind/$name/$tab"
        params={{ ...entityRef, tab: 'ownership' }}
        className={classes.aside}
        resetScroll={false}
      >
        {owner ? 'why?' : 'see candidates'}
      </Link>
    </Fact>
  );
}

function SystemFact({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  const parts = relationsOf(entity, 'partOf');
  if (entityRef.kind === 'domain' && parts.length === 0) return null;
  return (
    <Fact name={entityRef.kind === 'system' ? 'Domain' : 'Part of'} shown={parts.length > 0}>
      <span className={classes.list}>
        {parts.slice(0, 3).map((r) => (
          <EntityLink key={r.targetRef} of={r.targetRef ?? ''} missing={!r.targetExists} />
        ))}
      </span>
    </Fact>
  );
}

function Star({ of }: { of: string }) {
  const { isStarred, toggle } = useStarred();
  const on = isStarred(of);
  return (
    <ActionIcon
      {...tip(on ? 'Take the star away' : 'Star: keep it on your home page')}
      variant="subtle"
      color="gray"
      onClick={() => toggle(of)}
      aria-label="Starred"
      aria-pressed={on}
      className={classes.star}
    >
      {on ? <IconStarFilled size={17} aria-hidden /> : <IconStar size={17} stroke={1.6} aria-hidden />}
    </ActionIcon>
  );
}
