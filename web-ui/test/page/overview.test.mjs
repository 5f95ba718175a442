// The server, as those who look after it see it in the page.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { PHONE, eventually, launch, openPage } from '../browser.mjs';
import { engine, node, use } from '../scripted-overview.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { assertNoAxeFindings, waitUntilReady } from '../specs.mjs';

const ANA = { email: 'ana@example.com', password: 'correct horse', name: 'Ana' };
const BEN = { email: 'ben@example.com', password: 'battery staple', name: 'Ben' };
let browser;
let server;
let overview;
let page;

before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => {
  server = await new ScriptedServer().start();
  overview = server.overview;
  for (const running of [0, 1, 4, 3]) overview.add({ tokens_per_second: running * 13.5, running, queued: running > 3 ? 2 : 0, ...(running > 0 && { first_token_ms: 100 * running, first_token_ms_p95: 1_200 }) });
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  assert.deepEqual(page.problems, []);
});

const sheet = () => page.locator('#overview-sheet');
const note = () => page.locator('.overview-note');
const chart = name => sheet().locator('.chart', { has: page.getByRole('heading', { name, exact: true }) });
const line = (name, kind) => chart(name).locator(`.chart-drawing .chart-line.${kind}`).getAttribute('d');
const figures = () => factsOf(sheet().locator('.figures'));
const nodes = () => page.getByRole('list', { name: 'Nodes' }).locator(':scope > li');
const focused = () => page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.id);
const polls = () => overview.askedOf('/api/server').length;
const usages = () => overview.askedOf('/api/usage');

/** Names, and what stands under them in one line. */
async function factsOf(list) {
  const facts = await list.locator(':scope > div').evaluateAll(entries => entries.map(entry => [...entry.children].filter(({ hidden, textContent }) => !hidden && textContent !== '').map(({ textContent }) => textContent)));
  return Object.fromEntries(facts.map(([name, ...rest]) => [name, rest.join(' ')]));
}

async function signIn({ email, password }, options) {
  server.accounts.areOn = true;
  for (const account of [ANA, BEN]) server.accounts.add(account);
  page = await openPage(browser, server.url, options);
  await page.fill('#sign-in-email', email);
  await page.fill('#sign-in-password', password);
  await page.keyboard.press('Enter');
  await waitUntilReady(page);
}

const headOf = async element => (await element.locator('.node-head').innerText()).replace(/\n+/g, '\n');

/** As whoever is the only one there. */
async function open(options) {
  page = await openPage(browser, server.url, options);
  await waitUntilReady(page);
  await openAgain();
}

async function openAgain() {
  await page.click('#open-settings');
  await page.getByRole('button', { name: 'Server', exact: true }).click();
  await page.locator('#overview-sheet[open]').waitFor();
}

/** Until the page has asked once more and shown the answer. */
async function shown(name, value) {
  await eventually(page, async () => (await figures())[name] === value, `${name}: ${value}`);
}

async function inBothThemes(where) {
  await page.waitForFunction(() => document.getAnimations().length === 0);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await assertNoAxeFindings(page, `${where}, ${colorScheme}`);
  }
}

async function setHidden(isHidden) {
  await page.evaluate(isHidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: isHidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

/** Lets the page's own time pass; whatever it asks for in it has arrived when this ends. */
async function pass(seconds) {
  await page.clock.runFor(seconds * 1_000);
  await page.evaluate(() => fetch('/api/health').then(response => response.text()));
}

/** From now on the page's time passes only when the test lets it. */
async function stopClock() {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 3_600_000);
}

test('an administrator opens it by keyboard, and the focus returns', async () => {
  await signIn(ANA);
  await page.focus('#account');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Accounts' }).waitFor();
  assert.ok(!server.paths.includes('/js/overview-view.js') && !server.paths.includes('/css/overview.css'), 'nobody who does not ask for it fetches it');
  await page.keyboard.press('ArrowDown');
  while ((await page.evaluate(() => document.activeElement.textContent)) !== 'Server') await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Server' }).waitFor();
  await shown('Status', 'Ready tiny-model');
  assert.equal(await focused(), 'Close the server overview');
  await page.keyboard.press('Escape');
  await sheet().waitFor({ state: 'hidden' });
  assert.equal(await focused(), 'account');
});

test('a user sees nothing of it', async () => {
  await signIn(BEN);
  await page.click('#account');
  await page.getByRole('menuitem', { name: 'API keys' }).waitFor();
  assert.equal(await page.getByRole('menuitem', { name: 'Server' }).count(), 0);
  await page.keyboard.press('Escape');
  await page.click('#open-settings');
  await page.getByRole('button', { name: 'API keys' }).waitFor();
  assert.ok(await page.locator('#overview-field').isHidden());
  assert.deepEqual(overview.asked, []);
});

test('without accounts it is reached from the settings, and the focus returns there', async () => {
  await open();
  await shown('Status', 'Ready tiny-model');
  assert.equal(await focused(), 'Close the server overview');
  assert.ok(await page.locator('#settings').isHidden());
  await page.keyboard.press('Escape');
  await sheet().waitFor({ state: 'hidden' });
  assert.equal(await focused(), 'Settings');
});

test('figures say what the server says, and follow it', async () => {
  await open();
  await shown('Tokens per second', '40.5 now');
  const { 'Up for': upFor, ...others } = await figures();
  assert.match(upFor, /^13 min since /);
  assert.deepEqual(others, { Status: 'Ready tiny-model', 'Tokens per second': '40.5 now', 'Answers running': '3 of 4 slots', Waiting: '0 for a slot', Version: '0.1.0' });
  overview.server.status = 'loading';
  overview.server.database = { status: 'unavailable', message: 'The disk is full.' };
  overview.add({ tokens_per_second: 0, running: 4, queued: 7 });
  await shown('Waiting', '7 for a slot');
  assert.deepEqual(Object.keys(await figures()).at(-1), 'Database');
  const now = await figures();
  assert.deepEqual([now.Status, now['Answers running'], now.Database], ['Loading tiny-model', '4 of 4 slots', 'unavailable The disk is full.']);
  overview.server.database = { status: 'ready' };
  await eventually(page, async () => !('Database' in (await figures())), 'a database that is ready is not spoken of');
});

test('charts say their values in words, and show them', async () => {
  await open();
  await page.getByRole('img', { name: 'Throughput in the last ten minutes: 40.5 tokens/s now, between 0.0 tokens/s and 54.0 tokens/s.' }).waitFor();
  await page.getByRole('img', { name: 'Time to first token in the last ten minutes: Median 300 ms now, between 100 ms and 400 ms; 95th percentile 1.2 s now, always 1.2 s.' }).waitFor();
  await page.getByRole('img', { name: 'Answers in the last ten minutes: Running 3 now, between 0 and 4; Waiting 0 now, between 0 and 2.' }).waitFor();
  assert.deepEqual(await page.locator('.charts .chart-legend p').allInnerTexts(), ['40.5 tokens/s', 'Median 300 ms', '95th percentile 1.2 s', 'Running 3', 'Waiting 0']);
  assert.deepEqual(await chart('Throughput').locator('text').allTextContents(), ['0', '20', '40', '60', '10 min ago', '5 min ago', 'now']);
  assert.deepEqual(await chart('Answers').locator('text').allTextContents(), ['0', '2', '4', '10 min ago', '5 min ago', 'now']);
  const before = await line('Throughput', 'only');
  assert.equal(before.match(/[ML]/g).join(''), 'MLLL');
  const dashes = await chart('Answers').locator('.chart-drawing .chart-line').evaluateAll(lines => lines.map(each => getComputedStyle(each).strokeDasharray));
  assert.notEqual(dashes[0], dashes[1], 'lines are told apart without their colours');
  overview.add({ tokens_per_second: 81, running: 6 });
  await page.getByRole('img', { name: 'between 0.0 tokens/s and 81.0 tokens/s' }).waitFor();
  assert.equal((await line('Throughput', 'only')).match(/[ML]/g).join(''), 'MLLLL');
  assert.deepEqual(await chart('Throughput').locator('text').allTextContents(), ['0', '30', '60', '90', '10 min ago', '5 min ago', 'now']);
  assert.equal(await page.locator('.charts [aria-live], .charts [role=status]').count(), 0, 'nobody is told every two seconds');
});

test('where there is no value the line has a gap', async () => {
  overview.add({ tokens_per_second: null });
  for (const speed of [20, 30]) overview.add({ tokens_per_second: speed });
  await open();
  await page.getByRole('img', { name: 'Throughput in the last ten minutes: 30.0 tokens/s now' }).waitFor();
  assert.equal((await line('Throughput', 'only')).match(/[ML]/g).join(''), 'MLLLML');
  await page.getByRole('img', { name: 'Median 300 ms at last, between 100 ms and 400 ms' }).waitFor();
  assert.equal((await line('Time to first token', 'first')).match(/[ML]/g).join(''), 'MLL');
});

test('a server that was asked nothing yet has charts without lines', async () => {
  overview.points = [];
  await open();
  await page.getByRole('img', { name: 'Throughput in the last ten minutes: no value.' }).waitFor();
  await shown('Tokens per second', '41.2 now');
  assert.equal(await line('Throughput', 'only'), '');
  assert.deepEqual(await page.locator('.charts .chart-value').allTextContents(), ['–', '–', '–', '–', '–']);
});

test('a chart is as wide as there is room', async () => {
  await open();
  const widths = async () => chart('Throughput').locator('.chart-drawing').evaluate(drawing => [drawing.clientWidth, Math.max(...[...drawing.querySelectorAll('path')].map(path => path.getBBox().x + path.getBBox().width))]);
  const fits = async () => {
    const [room, drawn] = await widths();
    return room > 0 && Math.abs(room - drawn) <= 6;
  };
  await eventually(page, fits, 'a drawing that fills its room');
  await page.setViewportSize({ width: 700, height: 800 });
  await eventually(page, fits, 'a drawing that fills its other room');
});

test('nodes are shown with their engines, devices and models', async () => {
  overview.server.nodes = [
    node({ notices: ['The GPU is hot.'], models: [{ name: 'tiny-model', state: 'ready', is_default: true, progress: 1, memory_bytes: 493_000_000 }, { name: 'larger-model', state: 'loading', progress: 0.42 }] }),
    { address: '10.0.0.2:9090', state: 'down', version: '', llama_cpp: '', uptime_seconds: 0, notices: [], devices: [], models: [], engines: [] },
  ];
  await open();
  const first = nodes().first();
  await first.waitFor();
  assert.equal(await headOf(first), '127.0.0.1:9090\nup · version 0.1.0 · llama.cpp v0.5.0 (abc1234) · up for 13 min');
  assert.deepEqual(await factsOf(first.locator('.facts')), {
    'Slots in use': '3 of 4', Waiting: '0 of 64', 'KV cache': '4 % 812 of 16,384 tokens', 'Found in the cache': '44 % of 9,000 prompt tokens', Speed: '41.2 tokens/s',
  });
  assert.deepEqual(await first.getByRole('list', { name: 'Devices' }).locator('li > span').allInnerTexts(), ['CPU · AMD EPYC', '12.0 GB of 25.0 GB free']);
  assert.deepEqual(await first.getByRole('list', { name: 'Models' }).locator('.thing-about').allInnerTexts(), ['default · ready · 493 MB in memory', 'loading 42 %']);
  assert.deepEqual(await first.getByRole('list', { name: 'Notices' }).locator('li').allInnerTexts(), ['The GPU is hot.']);
  assert.equal(await headOf(nodes().nth(1)), '10.0.0.2:9090\ndown');
  assert.deepEqual(await page.locator('.node-head .dot').evaluateAll(dots => dots.map(dot => dot.dataset.state)), ['ready', 'failed']);
  overview.server.nodes = [node({ state: 'draining', engines: [engine({ slots_in_use: 1 }), engine({ model: 'larger-model', kv_tokens_capacity: 0 })] })];
  await page.getByText('ends what it does, takes nothing new').waitFor();
  assert.equal(await nodes().count(), 1);
  assert.deepEqual(await nodes().getByRole('heading', { level: 5 }).allInnerTexts(), ['tiny-model', 'larger-model']);
  overview.server.nodes = [];
  await page.getByText('No node has been here yet.').waitFor();
});

test('only what is new is asked for, every two seconds while the sheet is open', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await stopClock();
  await openAgain();
  await shown('Answers running', '3 of 4 slots');
  assert.deepEqual(overview.askedOf('/api/server'), ['/api/server']);
  overview.add({ running: 2 });
  await pass(2);
  await shown('Answers running', '2 of 4 slots');
  assert.deepEqual(overview.askedOf('/api/server').slice(1), [`/api/server?after=${encodeURIComponent(overview.points[3].at)}`]);
  await page.keyboard.press('Escape');
  await sheet().waitFor({ state: 'hidden' });
  await pass(120);
  assert.equal(polls(), 2, 'nothing is asked once it is closed');
  assert.equal(usages().length, 1);
  await openAgain();
  await eventually(page, () => polls() === 3 && usages().length === 2, 'asked again at once');
});

test('nothing is asked while nobody looks at the page', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await stopClock();
  await openAgain();
  await shown('Answers running', '3 of 4 slots');
  await setHidden(true);
  await pass(120);
  assert.deepEqual([polls(), usages().length], [1, 1]);
  overview.add({ running: 1 });
  await setHidden(false);
  await shown('Answers running', '1 of 4 slots');
  await eventually(page, () => usages().length === 2, 'usage is asked for again too');
  assert.equal(polls(), 2);
});

test('a failed request is told once, the last values stay, and it is tried again', async () => {
  overview.refusals.set('/api/server', { status: 503, error: 'The server is ending.', code: 'ending' });
  await open();
  await note().filter({ hasText: 'The server is ending. Trying again.' }).waitFor();
  overview.refusals.clear();
  await shown('Answers running', '3 of 4 slots');
  assert.equal(await note().textContent(), '');
  await note().evaluate(element => {
    window.told = [];
    new MutationObserver(() => window.told.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true });
  });
  overview.refusals.set('/api/server', { status: 503, error: 'The server is ending.', code: 'ending' });
  const before = polls();
  await eventually(page, () => polls() >= before + 3, 'it is tried again and again');
  assert.equal((await figures())['Answers running'], '3 of 4 slots');
  await inBothThemes('a failure');
  overview.refusals.clear();
  overview.add({ running: 4 });
  await shown('Answers running', '4 of 4 slots');
  await eventually(page, async () => (await note().textContent()) === '', 'nothing more to tell');
  assert.deepEqual(await page.evaluate(() => window.told), ['The server is ending. These are the last values; trying again.', '']);
});

test('a request that was under way when the sheet was closed does not disturb the next opening', async () => {
  let release;
  overview.holds.set('/api/server', new Promise(resolve => (release = resolve)));
  overview.refusals.set('/api/server', { status: 503, error: 'An old trouble.', code: 'old' });
  await open();
  await eventually(page, () => polls() === 1, 'asked');
  await page.keyboard.press('Escape');
  await sheet().waitFor({ state: 'hidden' });
  overview.holds.clear();
  overview.refusals.clear();
  await openAgain();
  await shown('Answers running', '3 of 4 slots');
  const old = page.waitForResponse(response => response.url().includes('/api/server') && response.status() === 503);
  await page.evaluate(() => {
    window.told = [];
    const note = document.querySelector('.overview-note');
    new MutationObserver(() => window.told.push(note.textContent)).observe(note, { childList: true });
  });
  release();
  await (await old).finished();
  const before = polls();
  await eventually(page, () => polls() >= before + 2, 'the page goes on');
  assert.deepEqual(await page.evaluate(() => window.told), []);
});

test('usage is shown by name and by day, with a total', async () => {
  overview.by.push(use('account', 'user_9', '', 1, 0, 0, 7, 'never'), use('local', 'local', '', 1, 10, 5, 5, null), use('removed', 'user_7', '', 1, 0, 0, 0, null));
  await open();
  const table = page.getByRole('table', { name: 'Last 30 days, most tokens first' });
  await table.waitFor();
  assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), ['Name', 'Requests', 'Prompt tokens', 'From the cache', 'Completion tokens', 'Last used']);
  const rows = await table.locator(':is(tbody, tfoot) tr').evaluateAll(all => all.map(row => [...row.cells].map(cell => cell.innerText.trim().replace(/\s+/g, ' '))));
  assert.deepEqual(rows, [
    ['Ana', '10', '900', '44 %', '1,200', 'Jan 8, 2026'],
    ['nightly build key', '4', '300', '0 %', '200', 'Jan 5, 2026'],
    ['user_9', '1', '0', '', '7', ''],
    ['Without an account', '1', '10', '50 %', '5', ''],
    ['user_7 removed', '1', '0', '', '0', ''],
    ['Total', '17', '1,210', '33 %', '1,412', ''],
  ]);
  assert.equal(await table.getByRole('rowheader').count(), 6);
  await page.getByRole('img', { name: 'Tokens by day, Nov 2 to Dec 1: 2,600 in all, most of them on Dec 1: 2,100.' }).waitFor();
  assert.deepEqual(await page.locator('.chart-bar title').allTextContents(), ['Nov 27: 500 tokens', 'Dec 1: 2,100 tokens']);
});

test('one chooses of how many days, and usage is read anew now and then', async () => {
  overview.days.set(40, [1_000, 0]);
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await stopClock();
  await openAgain();
  const days = page.getByLabel('of the last');
  await page.getByRole('img', { name: 'Nov 2 to Dec 1: 2,600 in all' }).waitFor();
  assert.deepEqual(await days.locator('option').allInnerTexts(), ['7 days', '30 days', '90 days']);
  await days.selectOption('90 days');
  await page.getByRole('img', { name: 'Sep 3 to Dec 1: 3,600 in all' }).waitFor();
  await page.getByRole('table', { name: 'Last 90 days' }).waitFor();
  await days.selectOption('7 days');
  await page.getByRole('img', { name: 'Nov 25 to Dec 1: 2,600 in all' }).waitFor();
  assert.deepEqual(usages(), [30, 90, 7].map(count => `/api/usage?days=${count}`));
  overview.days.set(0, [4_000, 0]);
  await pass(60);
  await page.getByRole('img', { name: 'Nov 25 to Dec 1: 4,500 in all' }).waitFor();
});

test('the days that were chosen last count, whichever answer comes first', async () => {
  await open();
  await page.getByRole('table').waitFor();
  let release;
  overview.holds.set('/api/usage', new Promise(resolve => (release = resolve)));
  await page.getByLabel('of the last').selectOption('90 days');
  await eventually(page, () => usages().length === 2, 'asked');
  overview.holds.clear();
  await page.getByLabel('of the last').selectOption('7 days');
  await page.getByRole('table', { name: 'Last 7 days' }).waitFor();
  const late = page.waitForResponse(response => response.url().endsWith('days=90'));
  release();
  await (await late).finished();
  const before = polls();
  await eventually(page, () => polls() >= before + 2, 'the page goes on');
  assert.equal(await page.getByRole('table', { name: 'Last 7 days' }).count(), 1);
});

test('usage that one may not see is not there, and what cannot be read is said', async () => {
  overview.refusals.set('/api/usage', { status: 403, error: 'This needs the scope admin.', code: 'insufficient_scope' });
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const refused = page.waitForResponse(response => response.url().includes('/api/usage'));
  await openAgain();
  await (await refused).finished();
  const before = polls();
  await eventually(page, () => polls() >= before + 2, 'the page goes on');
  assert.ok(await page.locator('.usage').isHidden());
  await page.keyboard.press('Escape');
  overview.refusals.set('/api/usage', { status: 503, error: 'The database is away.', code: 'database_unavailable' });
  await openAgain();
  await page.locator('.usage').getByRole('status').filter({ hasText: 'The database is away.' }).waitFor();
  await page.keyboard.press('Escape');
  overview.refusals.clear();
  overview.by = [];
  overview.days.clear();
  await openAgain();
  await page.getByText('Nobody has used the server in these days.').waitFor();
  assert.equal(await page.getByRole('table').count(), 0);
  await page.getByRole('img', { name: 'Tokens by day, Nov 2 to Dec 1: 0 in all.' }).waitFor();
});

test('an overview that cannot be fetched is told of, and can be asked for again', async () => {
  page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.route('**/css/overview.css', route => route.abort());
  await page.click('#open-settings');
  await page.click('#open-overview');
  await page.locator('.toast', { hasText: 'The overview could not be fetched.' }).waitFor();
  assert.equal(await sheet().count(), 0);
  await page.unroute('**/css/overview.css');
  await openAgain();
  await shown('Answers running', '3 of 4 slots');
});

test('axe finds nothing', async () => {
  overview.server.nodes = [node({ notices: ['The GPU is hot.'] }), node({ address: '10.0.0.2:9090', state: 'silent' })];
  await open();
  await page.getByRole('table').waitFor();
  await inBothThemes('the server');
  await page.keyboard.press('Escape');
  await page.click('#open-settings');
  await page.locator('#overview-field').waitFor();
  await inBothThemes('settings');
});

test('texts of the server stay text, and nonsense breaks nothing', async () => {
  const hostile = '<img src=x onerror=alert(1)>';
  Object.assign(overview.server, { version: hostile, status: hostile, model: hostile, database: { status: hostile, message: hostile } });
  overview.server.nodes = [
    node({ address: hostile, state: hostile, version: hostile, llama_cpp: hostile, notices: [hostile], devices: [{ name: hostile, description: hostile }], models: [{ name: hostile, state: hostile }], engines: [engine({ model: hostile })] }),
    null, { devices: 7, models: [null], engines: ['x'] },
  ];
  overview.by = [use('key', hostile, hostile, 1, 2, 3, 4, hostile), use(hostile, hostile, '', 'many', -1, null, {}, 7)];
  overview.add({ tokens_per_second: 'fast', running: -3, queued: 1e308 });
  await open();
  await shown('Version', hostile);
  await page.getByRole('table').waitFor();
  assert.equal(await page.locator('img').count(), 0);
  assert.equal(await nodes().first().getByRole('heading', { level: 4 }).innerText(), hostile);
  assert.deepEqual(await page.locator('tbody th').allInnerTexts(), [`${hostile} key`, hostile]);
  overview.server = 'nonsense';
  overview.by = 'nonsense';
  const before = polls();
  await eventually(page, () => polls() >= before + 2, 'the page goes on');
});

test('it fits a phone', async () => {
  overview.server.nodes = [node({ address: 'a-rather-long-name-of-a-machine.in-some.department.example.com:9090', notices: ['A notice_that_is_one_long_word_without_any_place_to_break_it_anywhere_at_all.'] })];
  overview.by.push(use('account', 'user_3', 'Somebody with a rather long name indeed', 1_000, 123_456_789, 100_000_000, 98_765_432, '2026-01-05T12:00:00Z'));
  await open({ viewport: PHONE, hasTouch: true, isMobile: true });
  await page.getByRole('table').waitFor();
  const { x, width } = await sheet().boundingBox();
  assert.deepEqual([x, width], [0, PHONE.width]);
  assert.equal(await sheet().evaluate(element => element.scrollWidth - element.clientWidth), 0);
  const scroller = page.getByRole('region', { name: 'Usage by name' });
  assert.ok(await scroller.evaluate(element => element.scrollWidth > element.clientWidth), 'the table moves inside the sheet');
  for (const part of await page.locator('#overview-sheet :is(.figures, .chart, .node, .table-scroller, select, button):visible').all()) {
    const box = await part.boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= PHONE.width);
  }
  await inBothThemes('the server on a phone');
});
