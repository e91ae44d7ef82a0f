import { defineConfig } from '@playwright/test';
import { findBrowser } from './e2e/browser';

// The tests start the real binary themselves (e2e/waypost.ts). `make test-e2e`
// builds it first.
const browser = findBrowser();
if (!browser) {
  const words = 'NOT RUN: no Chromium on this machine; install it, or name one in WAYPOST_CHROMIUM';
  if (process.env.WAYPOST_REQUIRE_ALL) throw new Error(words);
  console.warn(words);
}

export default defineConfig({
  testDir: './e2e',
  outputDir: './test-results',
  timeout: 30_000,
  expect: { timeout: 7_000 },
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: [['list']],
  use: {
    viewport: { width: 1360, height: 900 },
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: browser, args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'portal', testMatch: /.*\.spec\.ts/, grepInvert: browser ? undefined : /./ },
    // Pictures are made on request: `make shots`.
    { name: 'shots', testMatch: /shots\.ts/ },
    // So are figures: `make bench-portal`.
    { name: 'measure', testMatch: /measure\.ts/, use: { trace: 'off' } },
  ],
});
