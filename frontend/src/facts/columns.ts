export type Column = { name: string; title: string; numeric: boolean; format: string };

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const text = (v: unknown): string => (typeof v === 'string' ? v : '');

/** Columns for a list of objects, by the JSON Schema of the list and by what is there; at most 20. */
export function columnsOf(rows: unknown[], schema: unknown): Column[] {
  const items = isObject(schema) && isObject(schema.items) ? schema.items : {};
  const properties = isObject(items.properties) ? items.properties : {};
  const required = Array.isArray(items.required)
    ? items.required.filter((n): n is string => typeof n === 'string')
    : [];
  const objects = rows.filter(isObject);
  const there = new Set(objects.slice(0, 1000).flatMap((row) => Object.keys(row)));
  // JSON keeps no order of fields: what is required comes first, and in the order in which that says it.
  const names = [...new Set([...required, ...Object.keys(properties), ...there])].filter((n) => there.has(n));
  return names.slice(0, 20).map((name) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const declared = isObject(property) ? property : {};
    const values = objects.map((row) => row[name]).filter((v) => v !== undefined && v !== null);
    return {
      name,
      title: text(declared.title),
      format: text(declared.format),
      numeric: values.length > 0 && values.every((v) => typeof v === 'number'),
    };
  });
}
