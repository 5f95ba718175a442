// Code to runs of text with colours, beside the page. The usual languages are in one file; the others come one by one.
import highlighter from '../vendor/highlight.js';

const OTHERS = [
  'apache apacheconf', 'clojure clj edn', 'cmake', 'dart', 'dockerfile docker', 'elixir ex exs', 'elm', 'erlang erl', 'fortran f90 f95',
  'fsharp fs f#', 'gradle', 'groovy', 'handlebars hbs', 'haskell hs', 'http https', 'julia jl', 'latex tex', 'lisp elisp commonlisp',
  'matlab octave', 'nginx nginxconf', 'nix', 'ocaml ml', 'powershell pwsh ps ps1', 'prolog', 'properties', 'protobuf proto', 'scala',
  'scheme scm racket', 'tcl', 'thrift', 'verilog v sv systemverilog', 'vhdl', 'vim vimscript', 'x86asm asm nasm assembly',
];
/** Names that the highlighter does not know for languages that it does. */
const ALSO = { jsonc: 'json', json5: 'json', vue: 'xml', svelte: 'xml', zsh: 'bash', fish: 'bash', terminal: 'shell', ipynb: 'json', mdx: 'markdown' };
const fileOf = new Map(OTHERS.flatMap(names => names.split(' ').map(name => [name, names.split(' ')[0]])));

async function known(name) {
  const language = ALSO[name] ?? name;
  if (highlighter.getLanguage(language)) return language;
  const file = fileOf.get(language);
  if (!file) return null;
  const { default: grammar } = await import(`../vendor/languages/${file}.js`);
  highlighter.registerLanguage(file, grammar);
  return file;
}

const CHARACTERS = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" };

/** The highlighter's HTML as runs of text, each with the classes of the innermost element around it. */
function runsOf(html) {
  const runs = [];
  const classes = [''];
  for (const [tag, opened, text] of html.matchAll(/<span class="([^"]*)">|<\/span>|([^<]+)/g)) {
    if (opened !== undefined) classes.push(opened);
    else if (text === undefined) classes.pop();
    else runs.push([classes.at(-1), tag.replace(/&(?:amp|lt|gt|quot|#x27);/g, entity => CHARACTERS[entity])]);
  }
  return runs;
}

onmessage = async ({ data: { code, language } }) => {
  let runs = null;
  try {
    const name = await known(language);
    if (name) runs = runsOf(highlighter.highlight(code, { language: name, ignoreIllegals: true }).value);
  } catch {
    // It stays without colours.
  }
  postMessage(runs);
};
postMessage('ready');
