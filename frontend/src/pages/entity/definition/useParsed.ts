import { useEffect, useState } from 'react';
import type { Parsed } from './parse';

/** A text that takes longer to read is not worth waiting for. */
const patience = 10_000; // ms

/** What a definition says, read in a worker, for it may be large and is written by strangers. Undefined while it is read. */
export function useParsed(source: string | undefined): Parsed | undefined {
  const [parsed, setParsed] = useState<{ source: string; result: Parsed }>();
  useEffect(() => {
    if (source === undefined) return;
    const worker = new Worker(new URL('./parse.worker.ts', import.meta.url), { type: 'module' });
    const end = (result: Parsed) => {
      clearTimeout(timer);
      worker.terminate();
      setParsed({ source, result });
    };
    const timer = setTimeout(() => end({ problem: 'It takes too long to read.', line: 0 }), patience);
    worker.onmessage = (event: MessageEvent<Parsed>) => end(event.data);
    worker.onerror = () => end({ problem: 'The reader of definitions failed.', line: 0 });
    worker.postMessage(source);
    return () => {
      clearTimeout(timer);
      worker.terminate();
    };
  }, [source]);
  return parsed && parsed.source === source ? parsed.result : undefined;
}
