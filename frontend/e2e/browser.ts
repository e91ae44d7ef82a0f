import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of a Chromium: the one that WAYPOST_CHROMIUM names, or one that is installed. */
export function findBrowser(): string | undefined {
  const named = process.env.WAYPOST_CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Error(`WAYPOST_CHROMIUM names ${named}, which does not exist`);
    return named;
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])
    for (const folder of folders) {
      const path = join(folder, name);
      if (folder && existsSync(path)) return path;
    }
  return undefined;
}
