import { type RefObject, useEffect, useRef, useState } from 'react';

/** For a menu that comes with the click on its button (see MenuButton): it opens at once, and the button has the focus as before. */
export function useOpen(): {
  opened: boolean;
  onChange: (opened: boolean) => void;
  button: RefObject<HTMLButtonElement | null>;
} {
  const button = useRef<HTMLButtonElement>(null);
  const [opened, onChange] = useState(false);
  useEffect(() => {
    button.current?.focus({ preventScroll: true });
    onChange(true);
  }, []);
  return { opened, onChange, button };
}
