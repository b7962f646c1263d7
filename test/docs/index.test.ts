import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { headingsOf, pageNames, readPage } from '../support/pages.ts';
import { ROOT } from '../support/viaduct.ts';

/** Pages whose links are checked, relative to the root. */
const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The anchors of a page, as they are made of its headings: small letters, hyphens for spaces, a number behind one that is there. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const { title } of headingsOf(text)) {
    const plain = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
    const anchor = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let name = anchor;
    for (let number = 1; anchors.has(name); number += 1) name = `${anchor}-${number}`;
    anchors.add(name);
  }
  return anchors;
}

/** Where the links of a page lead. What stands in code is no link. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
}

describe('the index of the documentation', () => {
  it('has every page', () => {
    const linked = new Set(linksOf(readPage('index.md')).map((target) => target.replace(/#.*/, '')));
    const missing = pageNames().filter((name) => name !== 'index.md' && !linked.has(name));
    assert.deepEqual(missing, []);
  });
});

describe('a link of the documentation', () => {
  for (const page of PAGES) {
    it(`leads somewhere: ${page}`, () => {
      const broken = linksOf(readFileSync(join(ROOT, page), 'utf8')).filter((target) => {
        if (/^[a-z]+:/.test(target)) return false;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
        if (!existsSync(file) || relative(ROOT, file).startsWith('..')) return true;
        if (anchor === undefined || statSync(file).isDirectory()) return false;
        return !anchorsOf(readFileSync(file, 'utf8')).has(anchor);
      });
      assert.deepEqual(broken, []);
    });
  }
});
