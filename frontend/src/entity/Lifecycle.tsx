import { Status, type Tone } from '~/parts/Status';

const tones: Record<string, Tone> = { production: 'good', experimental: 'info', deprecated: 'warn' };

/** spec.lifecycle. Words of one's own are shown as they are. */
export function Lifecycle(props: { of: string; plain?: boolean }) {
  if (!props.of) return null;
  const words = props.of.charAt(0).toUpperCase() + props.of.slice(1);
  return (
    <Status tone={tones[props.of.toLowerCase()] ?? 'none'} plain={props.plain}>
      {words}
    </Status>
  );
}
