import { parseDefinition } from './parse';

self.onmessage = (event: MessageEvent<string>) => {
  self.postMessage(parseDefinition(event.data));
};
