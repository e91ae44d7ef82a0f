import { LineCounter, parseDocument } from 'yaml';

export type Parsed = { doc: unknown } | { problem: string; line: number };

/** More text than this is shown as source only. */
export const mostText = 8_000_000;

/** Reads JSON or YAML. Aliases are bounded, so that a small text does not become a huge document. */
export function parseDefinition(source: string): Parsed {
  if (source.length > mostText) return { problem: 'It is too large to be read here.', line: 0 };
  if (/^\s*[{[]/.test(source)) {
    try {
      return { doc: JSON.parse(source) as unknown };
    } catch {
      // It may be YAML in braces; and YAML says on which line the fault is.
    }
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
    const fault = document.errors[0];
    if (fault) return { problem: fault.message, line: lines.linePos(fault.pos[0]).line };
    return { doc: document.toJS({ maxAliasCount: 1000 }) as unknown };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause), line: 0 };
  }
}
