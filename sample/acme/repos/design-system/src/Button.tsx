import type { ReactNode } from "react";

/** A button large enough for a thumb in a glove. */
export function Button({ children, onClick }: { children: ReactNode; onClick(): void }) {
  return <button className="acme-button" onClick={onClick}>{children}</button>;
}
