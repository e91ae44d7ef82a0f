import type { Tone } from '~/parts/Status';

// Plugins say in one word how something stands and give no colour with it. These
// are the words that people use; any other one stays without.
const words: [Tone, string][] = [
  ['good', 'ok okay good healthy passing passed pass success succeeded met green up owned verified active fresh'],
  ['warn', 'warning warn degraded due at-risk pending stale outdated yellow amber partial split single-person slow'],
  ['bad', 'bad failing failed fail error critical breached exhausted overdue down red unowned dangling disbanded'],
  ['bad', 'missing expired vulnerable'],
];

const tones = new Map(words.flatMap(([tone, list]) => list.split(' ').map((word): [string, Tone] => [word, tone])));

export function toneOf(word: string): Tone {
  return tones.get(word.trim().toLowerCase().replaceAll(/[ _]/g, '-')) ?? 'none';
}
