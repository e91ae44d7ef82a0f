import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { compression } from 'vite-plugin-compression2';
import { defineConfig } from 'vitest/config';
import { inter, smallInter } from './font.ts';

// `make dev` serves the sources with hot reload in front of a running server.
const server = process.env.WAYPOST_SERVER ?? 'http://127.0.0.1:8080';
const backend = { target: server, changeOrigin: true };

export default defineConfig({
  plugins: [
    react(),
    smallInter(),
    // The binary carries the compressed files: it compresses nothing while it serves.
    compression({ algorithms: ['gzip', 'brotliCompress'], include: /\.(js|css|svg|html|json)$/, threshold: 1024 }),
  ],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)), 'inter-small': inter } },
  // The server puts a fresh nonce in place of this in each page.
  html: { cspNonce: '__WAYPOST_NONCE__' },
  build: {
    target: 'es2022',
    manifest: 'manifest.json', // for handler.go, which names in a page what it needs
    sourcemap: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'base', tags: ['$initial'], priority: 2 },
            // What most pages are made of, in one file: a request for each icon costs more than its bytes.
            { name: 'parts', test: /src.(parts|entity)|tabler/, minShareCount: 6, priority: 1 },
          ],
        },
      },
    },
    chunkSizeWarningLimit: 1800, // elkjs, in a worker of its own
  },
  server: {
    port: 5173,
    proxy: { '/v1': backend, '/api': backend, '/openapi.json': backend, '/docs': backend, '/healthz': backend },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.{ts,tsx}'],
    globals: false,
  },
});
