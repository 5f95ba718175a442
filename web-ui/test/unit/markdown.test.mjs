import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitionsOf, nextPiece, plainPieces, settledLength } from '../../src/main/resources/static/js/markdown-pieces.js';
import { mend, safeHref, toHtml } from '../../src/main/resources/static/js/markdown.js';
import { DOCUMENT, HOSTILE } from '../texts.mjs';

/** Draws a text as the page does while it grows: settled blocks once, the rest anew. */
function drawGrowing(text, step) {
  let settled = 0;
  let html = '';
  for (let end = 0; end <= text.length; end += step) {
    const length = settledLength(text.slice(settled, end));
    html += toHtml(text.slice(settled, settled + length));
    settled += length;
  }
  return html + toHtml(text.slice(settled));
}

test('a text that grows looks in the end as if it had come at once, wherever it is cut', () => {
  const whole = toHtml(DOCUMENT);
  for (const step of [1, 2, 3, 5, 7, 11, 40]) assert.equal(drawGrowing(DOCUMENT, step), whole, `pieces of ${step}`);
});

test('the open block is never settled', () => {
  assert.equal(settledLength('a paragraph\n'), 0);
  assert.equal(settledLength('a paragraph\n\n'), 0);
  assert.equal(settledLength('a paragraph\n\nnext'), 0, 'the next line is not complete');
  assert.equal(settledLength('a paragraph\n\nnext\n'), 'a paragraph\n\n'.length);
  assert.equal(settledLength('1. one\n\n2'), 0, 'may become the second item');
  assert.equal(settledLength('```js\nlet a;\n\nlet b;\n'), 0);
});

test('code is settled as soon as its own fence closes it', () => {
  const code = '```js\nlet a;\n```\n';
  assert.equal(settledLength(code), code.length);
  assert.equal(settledLength('````md\n```\n'), 0, 'a shorter fence inside does not close');
});

test('half-written markers are mended', () => {
  const cases = {
    'a **bold': 'a **bold**',
    'a **': 'a ',
    'a `co': 'a `co`',
    'a ~~de': 'a ~~de~~',
    'see [the docs](https://exa': 'see the docs',
    'see [the d': 'see the d',
    'text\n-': 'text\n',
    'text\n==': 'text\n',
    'text\n``': 'text\n',
    'text\n12.': 'text\n',
    'done **bold** text': 'done **bold** text',
    '```\na ** b': '```\na ** b',
    '```\ncode\n``': '```\ncode\n',
  };
  for (const [written, shown] of Object.entries(cases)) assert.equal(mend(written), shown, written);
});

test('a heading never appears for a moment under a line that a list follows', () => {
  for (let end = 1; end < 'Things:\n- one\n'.length; end++) {
    assert.doesNotMatch(toHtml(mend('Things:\n- one\n'.slice(0, end))), /<h\d/);
  }
});

test('only absolute http, https and mailto addresses are links', () => {
  for (const good of ['https://example.org/a?b=c#d', 'http://example.org', 'mailto:a@example.org']) assert.equal(safeHref(good), good);
  const bad = ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', ' data:text/html,x', 'vbscript:x', 'file:///etc/passwd', '/api/x', '//evil.example', '#id', ''];
  for (const href of bad) assert.equal(safeHref(href), null, href);
});

test('images become links or text, and never load', () => {
  const html = toHtml('![a cat](https://example.org/cat.png) ![x](javascript:alert(1)) ![y](data:image/svg+xml,z)');
  assert.match(html, /<a href="https:\/\/example\.org\/cat\.png"[^>]*>a cat \(image\)<\/a>/);
  assert.match(html, /\[x\].*\[y\]/);
  assert.doesNotMatch(html, /<img|javascript|data:/);
});

test('HTML in the source stays text, whole or cut anywhere', () => {
  const ours = /<\/?(?:a|p|strong|em|code|pre|ul|ol|li|blockquote|h[3-6]|br|sub|sup|kbd|mark|del|table|thead|tbody|tr|t[hd]|hr)(?: (?:href|title|class|align|start)="[^"<>]*")*\s*\/?>/g;
  for (const source of HOSTILE) {
    for (let end = 1; end <= source.length; end++) {
      for (const text of [source.slice(0, end), mend(source.slice(0, end))]) {
        const rest = toHtml(text).replace(ours, '');
        assert.doesNotMatch(rest, /[<>]/, JSON.stringify(text));
      }
    }
  }
});

test('entities and plain tags stay what they are', () => {
  assert.equal(toHtml('a &lt;b&gt; &amp; c<br>H<sub>2</sub>O'), '<p>a &lt;b&gt; &amp; c<br>H<sub>2</sub>O</p>\n');
  assert.equal(toHtml('<kbd><img src=x onerror=alert(1) </kbd>').includes('<img'), false);
});

test('code names its language, and only a language', () => {
  assert.match(toHtml('```Python title="x"\nx\n```'), /<code class="language-python">x\n<\/code>/);
  assert.doesNotMatch(toHtml('```"><img src=x>\nx\n```'), /<img|class/);
});

/** Cuts a text as the page does: at once, or while it grows. */
function cut(text, step = text.length) {
  const pieces = [];
  let settled = 0;
  let carry = '';
  for (let end = step; ; end += step) {
    const isWhole = end >= text.length;
    for (;;) {
      const piece = nextPiece(text.slice(settled, end), carry, isWhole);
      if (piece === null) break;
      pieces.push({ ...piece, text: text.slice(settled, settled + piece.length) });
      settled += piece.length;
      carry = piece.carry;
    }
    if (isWhole) return pieces;
  }
}

const LONG = {
  paragraphs: 'A paragraph of *some* words.\n\n'.repeat(4_000),
  'one line': 'word '.repeat(40_000),
  'no space': 'x'.repeat(100_000),
  'half characters': `y${'🏃'.repeat(50_000)}`,
  list: Array.from({ length: 5_000 }, (_, i) => `${i + 1}. Thing number ${i}\n`).join(''),
  table: `| a | b |\n|---|--:|\n${'| one | 2 |\n'.repeat(8_000)}\nBehind.`,
  code: `Before.\n\n\`\`\`js\n${'let a = "```"; // and more\n'.repeat(5_000)}\`\`\`\n\nBehind.`,
  'code in one line': `~~~\n${'0123456789'.repeat(20_000)}\n~~~\nBehind.`,
  quotation: '> and so on\n'.repeat(9_000),
  formula: `$$\n${'x + \n'.repeat(9_000)}$$`,
  html: `<div>\n${'<p>text\n'.repeat(9_000)}`,
  'open fence': `\`\`\`\n${'text\n'.repeat(20_000)}`,
  'empty lines': `${'\n'.repeat(50_000)}end`,
};

for (const [name, text] of Object.entries(LONG)) {
  test(`a long text is cut into short pieces that are all of it: ${name}`, () => {
    for (const step of [undefined, 3_333]) {
      const pieces = cut(text, step);
      assert.ok(pieces.map(piece => piece.text).join('') === text);
      assert.ok(pieces.every(({ markdown }) => markdown.length <= 20_100), 'none is long');
      assert.ok(pieces.length > 3);
      assert.doesNotMatch(pieces.map(piece => piece.markdown).join('|'), /(?:^|[^\uD800-\uDBFF])[\uDC00-\uDFFF]|[\uD800-\uDBFF](?:$|[^\uDC00-\uDFFF])/, 'no half character');
    }
  });
}

test('what is cut in mid-block goes on as what it was', () => {
  const html = name => cut(LONG[name]).map(({ markdown }) => toHtml(markdown));
  assert.ok(html('table').slice(0, -1).every(piece => piece.startsWith('<table>\n<thead>')));
  assert.ok(html('list').every(piece => /^<ol(?: start="\d+")?>/.test(piece)));
  assert.ok(html('list').at(1).startsWith(`<ol start="${html('list')[0].match(/<li>/g).length + 1}">`));
  const code = html('code').join('').match(/<code[^>]*>[^<]*<\/code>/g);
  assert.ok(code.length > 1);
  assert.ok(code.map(piece => piece.replace(/<[^>]*>/g, '')).join('') === 'let a = &quot;```&quot;; // and more\n'.repeat(5_000));
  assert.ok(cut(LONG.code).slice(1, -2).every(({ isCutCode, isMidLine }) => isCutCode && !isMidLine));
  assert.ok(cut(LONG['code in one line']).some(({ isMidLine }) => isMidLine));
});

test('links by reference are found for all pieces of a text', () => {
  assert.equal(definitionsOf('see [a]\n\n[a]: https://example.org\n  [b c]: <x> "t"\n    [no]: code\n'), '[a]: https://example.org\n  [b c]: <x> "t"');
  assert.equal(definitionsOf('[a]: x\n'.repeat(5_000)), '');
});

test('plain text is cut at ends of lines, and else where it must be', () => {
  for (const text of ['', 'short', 'a line\n'.repeat(9_000), 'word '.repeat(9_000), 'x'.repeat(50_000), '🏃'.repeat(20_000)]) {
    assert.ok(plainPieces(text).join('') === text);
    assert.ok(plainPieces(text).every(piece => piece.length <= 6_000));
  }
  assert.ok(plainPieces('a line\n'.repeat(9_000)).every(piece => piece.endsWith('\n')));
});
