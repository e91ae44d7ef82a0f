import type { Entity } from '~/api/client';
import type { Ref } from '~/entity/ref';
import { Crash } from '~/parts/Crash';
import { About } from './About';
import { Facts } from './Facts';
import { Location } from './Location';
import { Metadata } from './Metadata';
import classes from './Overview.module.css';
import { Readme } from './Readme';
import { Relations } from './Relations';

/** What it is and what it is tied to on the left; what is said of it and where it comes from on the right. */
export function Overview({ entity, entityRef }: { entity: Entity; entityRef: Ref }) {
  return (
    <div className={classes.columns}>
      <div className={classes.column}>
        <Crash>
          <About entity={entity} />
        </Crash>
        <Crash>
          <Relations entity={entity} entityRef={entityRef} />
        </Crash>
        <Crash>
          <Readme entityRef={entityRef} />
        </Crash>
      </div>
      <div className={classes.column}>
        <Crash>
          <Facts entity={entity} entityRef={entityRef} />
        </Crash>
        <Crash>
          <Location entity={entity} />
        </Crash>
        <Crash>
          <Metadata entity={entity} />
        </Crash>
      </div>
    </div>
  );
}
