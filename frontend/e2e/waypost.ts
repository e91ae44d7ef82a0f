import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test as base, expect } from '@playwright/test';

const root = resolve(import.meta.dirname, '../..');
const binary = process.env.WAYPOST_BINARY ?? join(root, 'bin/waypost');

/** A running server, on an address and a database of its own. */
export type Waypost = { url: string; stop: () => Promise<void> };

/** Starts the real binary and waits until the first harvest is over. */
export async function serve(args: string[]): Promise<Waypost> {
  const folder = mkdtempSync(join(tmpdir(), 'waypost-e2e-'));
  const all = ['serve', ...args, '--db', `sqlite:${join(folder, 'waypost.db')}`];
  const child = spawn(binary, [...all, '--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0'], { cwd: folder });
  const stop = () => end(child, folder);
  try {
    const url = await ready(child);
    return { url, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let said = '';
    const late = setTimeout(() => fail(new Error(`the server is not ready after 60 s:\n${said}`)), 60_000);
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      const http = /serving http=(\S+)/.exec(said)?.[1];
      if (http && /harvested \d+ entities/.test(said)) {
        clearTimeout(late);
        done(`http://${http}`);
      }
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('error', fail);
    child.on('exit', (code) => fail(new Error(`the server ended with ${code}:\n${said}`)));
  });
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
  }
  rmSync(folder, { recursive: true, force: true });
}

/** A folder of git clones that a test may change. */
export class Clones {
  readonly path = mkdtempSync(join(tmpdir(), 'waypost-clones-'));

  /** Writes files into a repository and commits them. */
  commit(repository: string, files: Record<string, string>, message = 'change'): void {
    const folder = join(this.path, repository);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-C', folder, ...args], {
        stdio: 'pipe',
      });
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true });
      git('init', '-q', '-b', 'main');
      git('remote', 'add', 'origin', `https://github.com/acme/${repository}.git`);
    }
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    git('add', '-A');
    git('commit', '-q', '-m', message);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Has everything harvested now, and waits until it was. */
export async function harvest(url: string): Promise<void> {
  const { sources = [] } = await ask<{ sources?: { name: string }[] }>(`${url}/v1/sources`);
  for (const { name } of sources) {
    const { harvest } = await ask<{ harvest: { id: string } }>(`${url}/v1/harvests`, { source: name });
    await expect
      .poll(async () => (await ask<{ harvest: { state: string } }>(`${url}/v1/harvests/${harvest.id}`)).harvest.state)
      .not.toBe('STATE_RUNNING');
  }
}

/** Asks the API, as a tool would. */
export async function ask<T>(url: string, body?: unknown): Promise<T> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Real catalogs of 30 organisations, where they are at hand. */
export const corpus = join(root, '../shared/corpus');
export const hasCorpus = existsSync(join(corpus, 'MANIFEST.md'));

/**
 * Tests with the sample organisation get one server for each worker. What a page
 * says on the console is a fault: the Content-Security-Policy speaks there.
 */
export const test = base.extend<{ quiet: undefined; mayBeSaid: RegExp }, { sample: Waypost }>({
  /** What the console may say in a test that provokes it. */
  mayBeSaid: [/Failed to load resource: the server responded with a status of 4/, { option: true }],
  sample: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names in it
    async ({}, use) => {
      const server = await serve(['--sample']);
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 90_000 },
  ],
  baseURL: async ({ sample }, use) => use(sample.url),
  quiet: [
    async ({ page, mayBeSaid }, use) => {
      const said: string[] = [];
      page.on('console', (m) => {
        if (m.type() === 'error' || m.type() === 'warning') said.push(`${m.type()}: ${m.text()}`);
      });
      page.on('pageerror', (e) => said.push(`thrown: ${e.message}`));
      await use(undefined);
      expect(said.filter((words) => !mayBeSaid.test(words))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
