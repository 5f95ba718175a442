import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { waitUntilReady } from '../specs.mjs';

const STATIC = fileURLToPath(new URL('../../src/main/resources/static', import.meta.url));
const LIMIT = 300_000;
const server = new ScriptedServer();
let browser;

before(async () => {
  await server.start();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.stop();
});

test('the first paint needs less than 300 kB compressed', async t => {
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const files = [...new Set(server.paths)].filter(path => !/^\/(?:api|v1)\//.test(path)).map(path => (path === '/' ? '/index.html' : path));
  const sizes = files.map(path => gzipSync(readFileSync(join(STATIC, path))).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  t.diagnostic(`${files.length} files, ${total} bytes compressed`);
  assert.ok(files.includes('/js/main.js') && files.includes('/vendor/marked.js'));
  assert.ok(total < LIMIT, `${total} bytes`);
  await page.context().close();
});

test('all that decides who is let in is fetched first, for nothing is seen before', () => {
  const needed = new Set();
  const need = name => {
    if (needed.has(name)) return;
    needed.add(name);
    for (const [, other] of readFileSync(join(STATIC, 'js', name), 'utf8').matchAll(/^import .*'\.\/(.+)';$/gm)) need(other);
  };
  need('entrance.js');
  const page = readFileSync(join(STATIC, 'index.html'), 'utf8');
  const first = [...page.matchAll(/rel="modulepreload" href="js\/(.+)"/g)].map(([, name]) => name).filter(name => name !== 'main.js');
  assert.deepEqual(first.sort(), [...needed].sort());
});

test('vendored files are the ones recorded', () => {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../vendor.mjs', import.meta.url)), '--check'], { stdio: 'pipe' });
});

test('every file is there and nothing names another origin', () => {
  for (const name of readdirSync(STATIC, { recursive: true }).filter(name => /^(?!vendor).*\.(?:js|css|html)$/.test(name))) {
    const text = readFileSync(join(STATIC, name), 'utf8').replaceAll('http://www.w3.org/', '');
    assert.doesNotMatch(text, /https?:\/\/|\sstyle=|\son[a-z]+=|@import|innerHTML/, name);
  }
});
