/** A time for an input of type datetime-local, which knows no zone: the reader's. */
export function localTime(time: Date): string {
  const p = (n: number) => String(n).padStart(2, '0');
  const day = `${time.getFullYear()}-${p(time.getMonth() + 1)}-${p(time.getDate())}`;
  return `${day}T${p(time.getHours())}:${p(time.getMinutes())}`;
}
