import { after, before, test } from 'node:test';
import { launch } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { essentials } from '../specs.mjs';
import { DOCUMENT } from '../texts.mjs';

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

const LONG = 'At length!';
server.scripts = [question => ({ pieces: DOCUMENT.match(/[^]{1,6}/g), everyMs: question === LONG ? 150 : 5 })];
for (const [name, run] of Object.entries(essentials(() => browser, () => server.url, { question: 'Hello?', long: LONG }))) {
  test(name, run);
}
