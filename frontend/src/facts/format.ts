// Values of facts as a person reads them. Units are UCUM's.

const coarse = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 5 });
/** An objective of 0.9995 is not 1. */
const plain = { format: (value: number) => (Math.abs(value) < 100 ? fine : coarse).format(value) };
const seconds: Record<string, number> = {
  ms: 0.001,
  s: 1,
  min: 60,
  h: 3600,
  d: 86400,
  wk: 7 * 86400,
  mo: 30.4375 * 86400,
  a: 365.25 * 86400,
};
const bytes: Record<string, number> = { By: 1, KiBy: 1024, MiBy: 1024 ** 2, GiBy: 1024 ** 3, kBy: 1e3, MBy: 1e6 };

export function formatNumber(value: number, unit = ''): string {
  const factor = Object.hasOwn(bytes, unit) ? bytes[unit] : undefined;
  if (factor) return formatBytes(value * factor);
  const words = unitWords(unit);
  return words ? `${plain.format(value)}\u00a0${words}` : plain.format(value);
}

/** "1", "{requests}" and the like say what is counted, not a measure. */
function unitWords(unit: string): string {
  if (unit === '' || unit === '1') return '';
  return unit.replace(/^1(?=\/)/, '').replace(/\{([^}]*)\}/g, (_, words: string) => words.replaceAll('_', ' '));
}

function formatBytes(value: number): string {
  let v = value;
  for (const name of ['B', 'kB', 'MB', 'GB', 'TB']) {
    if (Math.abs(v) < 1000 || name === 'TB') return `${plain.format(Number(v.toPrecision(3)))}\u00a0${name}`;
    v /= 1000;
  }
  return '';
}

/** Of 0 to 1. Nothing is rounded up to 100 %, which it is not. */
export function formatPercent(value: number): string {
  const percent = value * 100;
  const shown = percent > 99 && percent < 100 ? Math.floor(percent * 100) / 100 : Math.round(percent * 10) / 10;
  return `${plain.format(shown)}\u00a0%`;
}

/** A span of time in a unit, by its two largest parts. */
export function formatDuration(value: number, unit = 's'): string {
  const factor = Object.hasOwn(seconds, unit) ? seconds[unit] : undefined;
  if (!factor) return formatNumber(value, unit);
  const sign = value < 0 ? '−' : '';
  let s = Math.abs(value) * factor;
  if (s === 0) return `0\u00a0${unit}`;
  if (s < 1) return `${sign}${plain.format(s * 1000)}\u00a0ms`;
  if (s < 60) return `${sign}${plain.format(s)}\u00a0s`;
  s = Math.round(s);
  const parts: [string, number][] = [
    ['years', 365.25 * 86400],
    ['days', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const at = parts.findIndex(([, size]) => s >= size);
  const [large, small] = [parts[at], parts[at + 1]];
  if (!large) return '';
  let first = Math.floor(s / large[1]);
  let second = small ? Math.round((s - first * large[1]) / small[1]) : 0;
  if (small && second * small[1] >= large[1]) {
    first += 1;
    second = 0;
  }
  const say = (n: number, name: string) =>
    `${n}\u00a0${n === 1 && name.endsWith('s') && name !== 's' ? name.slice(0, -1) : name}`;
  return sign + say(first, large[0]) + (small && second > 0 ? ` ${say(second, small[0])}` : '');
}

/** "single-person" is "Single person". */
export function formatWord(value: string): string {
  const words = /^[a-z0-9]+([-_][a-z0-9]+)*$/.test(value) ? value.replaceAll(/[-_]/g, ' ') : value;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
