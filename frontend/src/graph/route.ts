type Point = { x: number; y: number };

/** An SVG path along the points, with its corners rounded. */
export function roundedPath(points: Point[], radius = 7): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${at(first)}`;
  let before = first;
  rest.forEach((p, i) => {
    const next = rest[i + 1];
    if (!next) {
      path += `L${at(p)}`;
      return;
    }
    const r = Math.min(radius, length(before, p) / 2, length(p, next) / 2);
    path += `L${at(toward(p, before, r))}Q${at(p)} ${at(toward(p, next, r))}`;
    before = p;
  });
  return path;
}

/** The middle of the longest stretch: there is room for a label. */
export function labelPoint(points: Point[]): Point {
  let best = points[0] ?? { x: 0, y: 0 };
  let longest = -1;
  points.forEach((p, i) => {
    const q = points[i + 1];
    if (!q || length(p, q) <= longest) return;
    longest = length(p, q);
    best = { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 };
  });
  return best;
}

const length = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);
const at = (p: Point) => `${round(p.x)},${round(p.y)}`;
const round = (n: number) => Math.round(n * 10) / 10;
function toward(from: Point, to: Point, by: number): Point {
  const l = length(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / l, y: from.y + ((to.y - from.y) * by) / l };
}
