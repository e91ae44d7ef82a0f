/** The pages that hold the rows [start, end), and at least one. */
export function pagesOf(start: number, end: number, size: number): number[] {
  const first = Math.max(0, Math.floor(start / size));
  const last = Math.max(first, Math.floor((Math.max(end, 1) - 1) / size));
  return Array.from({ length: Math.min(last - first + 1, 5) }, (_, i) => first + i);
}
