import { Button, type ButtonProps } from '@mantine/core';
import { type ComponentType, type ReactElement, useState } from 'react';

/** What a menu that came later is given: the button, which it takes over. */
export type WithButton = { button: ReactElement };

/**
 * A button that opens a menu. The menu's code is no part of the page's: it comes
 * when somebody comes near, which is before the click.
 */
export function MenuButton<P>(
  props: ButtonProps & { load: () => Promise<{ default: ComponentType<P & WithButton> }>; give: P },
) {
  const { load, give, ...look } = props;
  const [Menu, setMenu] = useState<ComponentType<P & WithButton>>();
  const near = () => void load().catch(() => undefined); // the click asks again, and says what is wrong
  const open = () =>
    load().then(
      (module) => setMenu(() => module.default),
      (cause) =>
        setMenu(() => {
          throw cause;
        }),
    );
  if (Menu) return <Menu {...give} button={<Button variant="default" size="xs" {...look} />} />;
  return (
    <Button
      variant="default"
      size="xs"
      aria-haspopup
      aria-expanded={false}
      onPointerEnter={near}
      onFocus={near}
      onClick={open}
      {...look}
    />
  );
}
