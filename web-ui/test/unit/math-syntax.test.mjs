import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settledLength } from '../../src/main/resources/static/js/markdown-pieces.js';
import { mend, toHtml } from '../../src/main/resources/static/js/markdown.js';

const formulas = html => [...html.matchAll(/<span class="tex-(inline|block)">([^<]*)<\/span>/g)].map(([, kind, tex]) => `${kind} ${tex}`);

test('maths is found by each of its marks', () => {
  const cases = {
    'a $x^2$ b': ['inline $x^2$'],
    'a \\(x^2\\) b': ['inline \\(x^2\\)'],
    'a $$x$$ b': ['block $$x$$'],
    'a \\[x\\] b': ['block \\[x\\]'],
    '$$\nx\n- y\n= 2\n$$\n': ['block $$\nx\n- y\n= 2\n$$'],
    'so:\n\\[\na \\\\[2pt] b\n\\]\nand': ['block \\[\na \\\\[2pt] b\n\\]'],
    '- one $x$\n- \\[y\\]': ['inline $x$', 'block \\[y\\]'],
    '| $x$ |\n|---|\n| $y$ |': ['inline $x$', 'inline $y$'],
    '**bold $x*y$ more**': ['inline $x*y$'],
    '$a*b$ and $c*d$': ['inline $a*b$', 'inline $c*d$'],
    '$5$ apples': ['inline $5$'],
  };
  for (const [source, found] of Object.entries(cases)) assert.deepEqual(formulas(toHtml(source)), found, source);
  assert.match(toHtml('$$x$$.\n\nmore'), /<\/span>\.<\/p>/, 'a full stop behind it stays');
});

test('prices, variables and code are no maths', () => {
  for (const source of [
    'It costs $5 and $6.', '$5-$6', '$20,000 or 30$', 'US$5/AU$7', '$HOME and $PATH', '$ x $', '1$ and 2$', 'between $5 and maybe 6$', '$$',
    '`$x$`', '```\n$$x$$\n```', '    $$x$$', '\\$5 and \\$6', 'prices: $$ - **moderate**', '\\\\(x\\\\)',
  ]) {
    assert.deepEqual(formulas(toHtml(source)), [], source);
  }
  assert.equal(toHtml('It costs $5 and $6.'), '<p>It costs $5 and $6.</p>\n');
});

test('a formula without its end stays as it was written, while it grows and after', () => {
  for (const source of ['\\(a_1 * b * [c](d', '\\[ x ** y **', '$$\nx * y * z\n- 1']) {
    for (const text of [source, mend(source)]) {
      assert.deepEqual(formulas(toHtml(text)), []);
      assert.ok(toHtml(text).includes(`<span class="tex-open">${source}</span>`), source);
    }
  }
  assert.equal(mend('$\\left[ x_'), '$\\left[ x_');
  assert.equal(mend('for $5 see [the d'), 'for $5 see the d');
  assert.match(toHtml('\\(open\n\n*em*'), /<em>em<\/em>/, 'it ends with the paragraph');
});

test('a formula in lines of its own is settled when it ends', () => {
  const block = '$$\nx\n$$\n';
  assert.equal(settledLength(block), block.length);
  assert.equal(settledLength('$$\nx\n'), 0);
});

test('hostile marks take time in proportion to their length', () => {
  const sources = ['$a ', '$$', '$$a ', '\\(', '\\[', '\\', '$$x\n', '\\[x\\]\n', '{', '` `` ', '$\\', 'a*b$c '];
  for (const source of sources) {
    const took = length => {
      const text = source.repeat(length / source.length);
      const start = process.cpuUsage();
      toHtml(text);
      mend(text);
      return process.cpuUsage(start).user / 1_000;
    };
    took(2_000);
    // Were it quadratic, it would take minutes.
    assert.ok(took(200_000) < 10_000, JSON.stringify(source));
  }
});
