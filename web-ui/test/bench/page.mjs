// How smooth the page is with 500 chats of 100 messages each, and with texts of a megabyte: npm run bench
//
// Chromium's own trace says for each task of the page's main thread how long it took, on the clock and of the
// processor. A task is too long from 50 ms of the processor on, since on a machine with other work the clock also
// counts that. Prints a table, and ends with 1 where a task was too long.
import { parseArgs } from 'node:util';
import { DESKTOP, launch, openPage } from '../browser.mjs';
import { ScriptedServer } from '../scripted-server.mjs';
import { answered, ask, waitUntilReady } from '../specs.mjs';

const LONG_MS = 50;
const { values } = parseArgs({
  options: {
    chats: { type: 'string', default: '500' },
    messages: { type: 'string', default: '100' },
    runs: { type: 'string', default: '3' },
    trace: { type: 'string' },
  },
});
const CHATS = Number(values.chats);
const MESSAGES = Number(values.messages);

const ANSWER = `It depends on **three things**, and each has a reason:

1. The size $n$ of what is given, for $5 or for free.
2. How it lies in memory, as \`long[] values\` or as objects.
3. Whether somebody else is using the machine.

| what | before | after |
|---|--:|--:|
| sorting | 120 ms | 31 ms |
| searching | 8 ms | 2 ms |

\`\`\`java
static int find(long[] values, long wanted) {
    int low = 0, high = values.length - 1;
    while (low <= high) {
        int middle = (low + high) >>> 1; // never negative
        if (values[middle] < wanted) low = middle + 1;
        else if (values[middle] > wanted) high = middle - 1;
        else return middle;
    }
    return -(low + 1);
}
\`\`\`

So the number of steps is at most

$$
\\lceil \\log_2 (n + 1) \\rceil
$$

> Measure first. A plan without figures is a guess.

- It is *simple*.
- It is quick enough.
`;
const QUESTION = 'How long does a search in a sorted list of many numbers take, and why? Please tell me about memory as well.';

/** A megabyte of each, in the blocks that are dearest to draw. */
const HUGE_LINE = ['A line of a report, with some numbers: 12, 14 and 17.\n', 18_000];
const HUGE_QUESTION = HUGE_LINE[0].repeat(HUGE_LINE[1]);
const HUGE_ANSWER = [
  ANSWER.repeat(300),
  `\`\`\`java\n${'    low = middle + 1; // never negative\n'.repeat(5_000)}\`\`\`\n\n`,
  '- one thing of `many`\n'.repeat(10_000),
  `\n| a | b | c |\n|---|--:|---|\n${'| one | 2 | **three** |\n'.repeat(8_000)}\n`,
  'word '.repeat(20_000),
  '\n\n[The end](https://example.org/end)\n',
].join('');

function fill(server) {
  const day = 24 * 60 * 60 * 1000;
  const turns = Array.from({ length: MESSAGES }, (_, i) => (i % 2 === 0 ? `${QUESTION} (${i})` : ANSWER));
  for (let i = 0; i < CHATS; i++) {
    server.chats.add({ title: `Chat number ${i} about searching`, turns, updated_at: new Date(Date.now() - (i * day) / 4).toISOString() });
  }
  return server.chats.add({ title: 'Huge', turns: [HUGE_QUESTION, HUGE_ANSWER], updated_at: new Date(Date.now() - CHATS * day).toISOString() });
}

/** The page's tasks while `work` goes on, in milliseconds. */
async function traced(browser, page, work) {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline', 'devtools.timeline', 'blink.user_timing'] });
  await work();
  // What was begun is to be seen to its end.
  await page.waitForTimeout(500);
  const trace = await browser.stopTracing();
  const { traceEvents } = JSON.parse(trace.toString());
  const mains = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const isTask = ({ name, ph }) => ph === 'X' && name === 'RunTask';
  const tasks = traceEvents.filter(event => isTask(event) && mains.has(`${event.pid} ${event.tid}`));
  return { trace, tasks: tasks.map(({ dur, tdur = dur }) => ({ clock: dur / 1000, processor: tdur / 1000 })) };
}

const most = numbers => numbers.reduce((largest, number) => Math.max(largest, number), 0);

/**
 * Waits until the page has what a selector finds. Playwright's own waiting goes through every element of the page in a
 * task of the page's, which takes longer than the work that is measured.
 */
const has = (page, selector, timeout = 600_000) =>
  page.waitForFunction(wanted => document.querySelector(wanted) !== null, selector, { polling: 100, timeout });

const hugeEnd = page => has(page, '.md a[href="https://example.org/end"]');

/** Puts the text that is pasted later into the page, which is no work of the page's. */
const bringHugeQuestion = page => page.evaluate(([line, times]) => (window.hugeQuestion = line.repeat(times)), HUGE_LINE);

async function measure(browser, server, huge, run) {
  const rows = [];
  const step = async (name, page, work) => {
    const began = performance.now();
    const { tasks, trace } = await traced(browser, page, work);
    const processor = tasks.map(task => task.processor);
    rows.push({
      step: name,
      tasks: tasks.length,
      busy: processor.reduce((sum, ms) => sum + ms, 0),
      longest: most(processor),
      clock: most(tasks.map(task => task.clock)),
      tooLong: processor.filter(ms => ms >= LONG_MS).length,
      took: performance.now() - began,
    });
    if (values.trace) await (await import('node:fs/promises')).writeFile(`${values.trace}-${rows.length}.json`, trace);
  };
  const page = await openPage(browser, new URL('favicon.svg', server.url).href, { viewport: DESKTOP });
  let paint = 0;
  await step('first paint', page, async () => {
    await page.goto(server.url);
    await page.locator('.chat-link').nth(20).waitFor();
    paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  });
  await waitUntilReady(page);
  // Chats that no run before has put a question to, which makes them longer and moves them up.
  for (const [name, number] of [['a long chat is opened', 8 + 2 * run], ['another one', 9 + 2 * run]]) {
    await step(name, page, async () => {
      await page.locator('.chat-link', { hasText: `Chat number ${number} about` }).click();
      await page.locator(`.chat-link[aria-current=page]`).nth(0).waitFor();
      await page.waitForFunction(count => {
        const answers = [...document.querySelectorAll('.answer .md')];
        return answers.length === count && answers.every(answer => answer.childElementCount > 0);
      }, MESSAGES / 2);
      await answered(page);
    });
  }
  await step('typing', page, async () => {
    await page.focus('#input');
    await page.keyboard.type(QUESTION, { delay: 5 });
  });
  await page.fill('#input', '');
  server.scripts = [{ pieces: ANSWER.repeat(3).match(/[^]{1,6}/g), everyMs: 4 }];
  await step('an answer comes', page, async () => {
    await ask(page, QUESTION);
    await answered(page);
  });
  await step('scrolling the chat', page, async () => {
    await page.mouse.move(900, 400);
    for (let i = 0; i < 60; i++) {
      await page.mouse.wheel(0, i < 40 ? -900 : 900);
      await page.waitForTimeout(16);
    }
  });
  await step('scrolling the list', page, async () => {
    await page.mouse.move(140, 400);
    for (let i = 0; i < 80; i++) {
      await page.mouse.wheel(0, 400);
      await page.waitForTimeout(16);
    }
  });
  await step('searching', page, async () => {
    await page.fill('#search', 'number 4');
    await page.locator('.chat-link mark').first().waitFor();
  });
  await step('a chat of huge texts is opened', page, async () => {
    await page.evaluate(id => (location.hash = `#/c/${id}`), huge.id);
    await hugeEnd(page);
  });
  await step('scrolling it', page, async () => {
    await page.mouse.move(900, 400);
    for (let i = 0; i < 60; i++) {
      await page.mouse.wheel(0, i < 40 ? -900 : 900);
      await page.waitForTimeout(16);
    }
  });
  await step('leaving it', page, async () => {
    await page.evaluate(() => (location.hash = '#/new'));
    await page.waitForFunction(() => document.getElementById('thread').childElementCount === 0, null, { timeout: 600_000 });
  });
  server.scripts = [{ pieces: HUGE_ANSWER.match(/[^]{1,400}/g), everyMs: 1 }];
  await bringHugeQuestion(page);
  await step('a megabyte is pasted and sent, and answered by another', page, async () => {
    await page.focus('#input');
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/plain', window.hugeQuestion);
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await ask(page, QUESTION);
    await has(page, '.answer:last-of-type:not(.running)');
    await hugeEnd(page);
  });
  rows.paint = paint;
  await page.context().close();
  return rows;
}

const server = await new ScriptedServer().start();
const huge = fill(server);
const browser = await launch();
const all = [];
try {
  for (let run = 0; run < Number(values.runs); run++) all.push(await measure(browser, server, huge, run));
} finally {
  await browser.close();
  await server.stop();
}
const percentile = (numbers, share) => numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];
console.log(`${CHATS} chats of ${MESSAGES} messages, ${all.length} runs; first contentful paint ${all.map(rows => Math.round(rows.paint)).join(', ')} ms\n`);
console.log('| step | tasks | busy ms (median) | longest task, processor ms (worst run) | on the clock | tasks of 50 ms and more |');
console.log('|---|--:|--:|--:|--:|--:|');
let tooLong = 0;
all[0].forEach(({ step }, i) => {
  const of = field => all.map(rows => rows[i][field]);
  tooLong += most(of('tooLong'));
  console.log(`| ${step} | ${percentile(of('tasks'), 0.5)} | ${Math.round(percentile(of('busy'), 0.5))} | ${most(of('longest')).toFixed(1)} | ${most(of('clock')).toFixed(1)} | ${most(of('tooLong'))} |`);
});
process.exitCode = tooLong === 0 ? 0 : 1;
