export type Language = 'yaml' | 'json' | 'graphql' | 'protobuf' | 'text';

/** How the source of a definition is highlighted. */
export function languageOf(type: string, source: string): Language {
  const t = type.toLowerCase();
  if (t === 'graphql') return 'graphql';
  if (t === 'grpc' || t === 'proto' || t === 'protobuf') return 'protobuf';
  if (/^\s*[{[]/.test(source)) return 'json';
  return t === 'openapi' || t === 'asyncapi' || t === 'swagger' || /^\s*[\w$-]+:(\s|$)/.test(source) ? 'yaml' : 'text';
}

/** The definition as text; a document that was written in place of a text is written out. */
export function sourceOf(definition: unknown): string | undefined {
  if (definition === undefined || definition === null || definition === '') return undefined;
  return typeof definition === 'string' ? definition : JSON.stringify(definition, null, 2);
}

/** Formats that are shown as more than text. */
export function isReadable(type: string, source: string): boolean {
  return (
    ['openapi', 'asyncapi', 'swagger'].includes(type.toLowerCase()) ||
    /^\s*(\{\s*)?"?(openapi|swagger|asyncapi)"?\s*:/.test(source.slice(0, 500))
  );
}
