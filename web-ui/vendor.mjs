#!/usr/bin/env node
// Fetches the page's libraries from their npm packages and checks every file against src/main/resources/static/vendor/vendor.json.
//
//   node vendor.mjs            fetch, check, write
//   node vendor.mjs --check    compare the committed files with the recorded hashes; needs no network
//   node vendor.mjs --record   after raising a version in vendor.json: fetch and write the new hashes there
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'src/main/resources/static/vendor');
const listFile = join(folder, 'vendor.json');
const list = JSON.parse(readFileSync(listFile, 'utf8'));
const mode = process.argv[2] ?? '--fetch';
if (!['--fetch', '--check', '--record'].includes(mode)) {
  console.error(`vendor: ${mode} (expected: --check, --record or nothing)`);
  process.exit(2);
}

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

function fetchPackage({ name, version }, into) {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', into, `${name}@${version}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const unpacked = join(into, filename.replace(/\.tgz$/, ''));
  mkdirSync(unpacked);
  execFileSync('tar', ['xzf', join(into, filename), '-C', unpacked, '--strip-components=1']);
  return unpacked;
}

let wrong = 0;
const scratch = mkdtempSync(join(tmpdir(), 'vendor-'));
try {
  for (const library of list.libraries) {
    const source = mode === '--check' ? null : fetchPackage(library, scratch);
    for (const file of library.files) {
      const bytes = readFileSync(source ? join(source, file.from) : join(folder, file.to));
      const found = sha256(bytes);
      if (mode === '--record') {
        file.sha256 = found;
      } else if (found !== file.sha256) {
        console.error(`vendor: ${library.name} ${library.version} ${file.to}: sha256 ${found} (expected: ${file.sha256})`);
        wrong++;
        continue;
      }
      if (source) {
        writeFileSync(join(folder, file.to), bytes);
      }
      console.log(`${library.name} ${library.version} ${file.to} ok`);
    }
  }
  if (mode === '--record') {
    writeFileSync(listFile, `${JSON.stringify(list, null, 2)}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(wrong === 0 ? 0 : 1);
