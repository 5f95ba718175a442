import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, waitUntilReady } from '../specs.mjs';
import { HOSTILE, HOSTILE_MATHS } from '../texts.mjs';

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

/** What must never be inside an answer, as found in the page. */
function findForbidden() {
  const html = 'A BLOCKQUOTE BR BUTTON CODE DEL DIV EM H3 H4 H5 H6 HR KBD LI MARK OL P PRE SPAN STRONG SUB SUP TABLE TBODY TD TH THEAD TR UL';
  const maths = 'math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover';
  const allowed = new Set(`${html} ${maths}`.split(' '));
  const attributes = 'href title class align start target rel tabindex aria-hidden type dir data-highlighted data-tex data-wide';
  const ofMaths = 'accent columnalign columnspacing depth display displaystyle fence height linethickness lspace mathvariant maxsize minsize notation rspace scriptlevel separator stretchy voffset width';
  const known = new Set(`${attributes} ${ofMaths}`.split(' '));
  return [...document.querySelectorAll('.md *')].flatMap(element => {
    const bad = [...element.attributes].filter(({ name }) => !known.has(name)).map(({ name }) => `${element.nodeName} ${name}`);
    if (!allowed.has(element.nodeName)) bad.push(element.nodeName);
    if (element.href !== undefined && !/^(?:https?|mailto):/.test(element.href)) bad.push(`link to ${element.href}`);
    if (element.namespaceURI.endsWith('MathML') && element.hasAttribute('href')) bad.push('link in a formula');
    return bad;
  });
}

test('hostile answers run nothing, load nothing and claim no id, cut at every boundary', async () => {
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const counted = await page.evaluate(async sources => {
    const { AnswerBody } = await import('/js/answer-body.js');
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    const thread = document.getElementById('thread');
    thread.hidden = false;
    let drawn = 0;
    for (const source of sources) {
      for (let cut = 1; cut < source.length; cut++) {
        const body = new AnswerBody();
        thread.append(body.element);
        body.grow(source.slice(0, cut));
        if (cut % 25 === 0) await frame();
        body.grow(source);
        if (cut % 50 === 0) await frame();
        body.finish(source);
        drawn++;
      }
    }
    // All together, each growing a character a frame, as a slow model writes.
    const slow = sources.map(source => ({ source, body: new AnswerBody() }));
    thread.append(...slow.map(({ body }) => body.element));
    for (let end = 1; end <= Math.max(...sources.map(source => source.length)); end++) {
      for (const { source, body } of slow) body.grow(source.slice(0, end));
      await frame();
    }
    for (const { source, body } of slow) body.finish(source);
    return drawn;
  }, [...HOSTILE, ...HOSTILE_MATHS.slice(0, 7).map(tex => `\\(${tex}\\)`)]);
  assert.ok(counted > 1_000);
  assert.deepEqual(await page.evaluate(findForbidden), []);
  await page.waitForTimeout(200);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('texts put together from hostile parts, in pieces of any length, run nothing either', async t => {
  const seed = Number(process.env.SEED ?? 1);
  t.diagnostic(`SEED=${seed}`);
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  await page.evaluate(async ({ sources, seed }) => {
    const { AnswerBody } = await import('/js/answer-body.js');
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    // mulberry32
    let state = seed >>> 0;
    const random = below => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    };
    const marks = ['```\n', '`', '$', '$$', '\\(', '\\[', '\\]', '**', '_', '\n\n', '\n', '> ', '- ', '1. ', '| ', '](', '![', '<', '>', '"', "'", '&', ';', '\u0000', '\u202e'];
    const part = () => {
      if (random(3) === 0) return marks[random(marks.length)];
      const source = sources[random(sources.length)];
      const from = random(source.length);
      return random(2) === 0 ? source : source.slice(from, from + random(source.length - from) + 1);
    };
    document.getElementById('thread').hidden = false;
    const bodies = Array.from({ length: 150 }, () => {
      const body = new AnswerBody();
      document.getElementById('thread').append(body.element);
      return { body, text: Array.from({ length: 2 + random(6) }, part).join(''), end: 0 };
    });
    while (bodies.some(({ text, end }) => end < text.length)) {
      for (const one of bodies) {
        one.end = Math.min(one.text.length, one.end + 1 + random(60));
        one.body.grow(one.text.slice(0, one.end));
      }
      await frame();
    }
    for (const { body, text } of bodies) body.finish(text);
  }, { sources: [...HOSTILE, ...HOSTILE_MATHS.slice(0, 7).map(tex => `$$${tex}$$`)], seed });
  await page.waitForFunction(() => !document.querySelector('.md :is(.tex-inline, .tex-block):not([data-tex])'));
  assert.deepEqual(await page.evaluate(findForbidden), []);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('a hostile stream is shown as text, in answer, reasoning, error and model name', async () => {
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const attack = [...HOSTILE, ...HOSTILE_MATHS.map(tex => `$$${tex}$$`)].join('\n\n');
  server.models = [{ name: '<img src=x onerror=alert(1)>', state: '<b>', size_bytes: 1e9 }];
  server.scripts = [
    { reasoning: HOSTILE, pieces: attack.match(/[^]{1,3}/g) },
    { status: 400, error: { message: '<img src=x onerror=alert(1)>' } },
  ];
  await ask(page, '<img src=x onerror=alert(1)>');
  await answered(page);
  await page.click('summary');
  await ask(page, 'again');
  await page.locator('.failure', { hasText: '<img src=x' }).waitFor();
  await page.click('.picker-button');
  await page.locator('.picker-option', { hasText: '<img' }).waitFor();
  assert.deepEqual(await page.evaluate(findForbidden), []);
  assert.equal(await page.locator('img, iframe, script:not([src]), style, object, embed, video').count(), 0);
  assert.equal(await page.locator('#input').count(), 1);
  await page.reload();
  await page.locator('.answer:not(.running) .md').waitFor();
  await page.waitForTimeout(200);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('a formula covers nothing but its own box, whatever lengths it names', async () => {
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  server.scripts = [{ pieces: HOSTILE_MATHS.map(tex => `$$${tex}$$\n\nText $${tex.replaceAll('\n', ' ')}$ of a line.\n\n`) }];
  await ask(page, 'maths');
  await answered(page);
  assert.ok((await page.locator('.md math').count()) > 0);
  const largest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('.md :is(.tex-inline, .tex-block)')].map(box => box.getBoundingClientRect().height)));
  assert.ok(largest < 1_500, `${largest} px high`);
  const sticksOut = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(sticksOut, 0);
  assert.deepEqual(await page.evaluate(findForbidden), []);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test('what is long or never ends is computed beside the page, and stays text', async () => {
  const page = await openPage(browser, server.url);
  await waitUntilReady(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
  const before = await busy();
  const drawn = await page.evaluate(async formulas => {
    const { AnswerBody } = await import('/js/answer-body.js');
    const body = new AnswerBody();
    document.getElementById('thread').hidden = false;
    document.getElementById('thread').append(body.element);
    body.finish(formulas.map(tex => `$$${tex}$$`).join('\n\n'));
    while (body.element.querySelector('.tex-block:not([data-tex])')) await new Promise(resolve => setTimeout(resolve, 50));
    return body.element.querySelectorAll('math').length;
  }, ['{'.repeat(50_000) + '}'.repeat(50_000), '\\frac{'.repeat(600), '\\def\\a{\\a\\a}\\a', '\\left('.repeat(300) + 'x' + '\\right)'.repeat(300)]);
  assert.ok(drawn <= 1);
  const seconds = (await busy()) - before;
  assert.ok(seconds < 2, `${seconds} s of the page's own thread`);
  await page.context().close();
});
