import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readToken } from '../../src/trace/token.ts';
import { USUAL_DETAILS } from '../../src/trace/trace.ts';
import { codeBlocks, codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT } from '../support/viaduct.ts';

const PAGE = readPage('tracing.md');
const KEY = 'a key of many characters';

describe('docs/tracing.md', () => {
  it('explains every kind of span, and no other', () => {
    const source = readFileSync(join(ROOT, 'src/trace/document.ts'), 'utf8');
    const [, union = ''] = /export type SpanKind =([\s\S]*?);/.exec(source) ?? [];
    const kinds = [...union.matchAll(/\| '([\w-]+)'/g)].map(([, kind]) => kind);
    const rows = tableRows(sectionOf(PAGE, 'What is recorded'));
    const explained = rows.flatMap(([kind = '']) => codeWords(kind));
    assert.ok(kinds.length > 20);
    assert.deepEqual([...explained].sort(), [...kinds].sort());
  });

  it('makes tokens that Viaduct accepts', (t) => {
    const [script] = codeBlocks(sectionOf(PAGE, 'Tokens')).filter(({ language }) => language === 'sh');
    const cwd = temporaryDirectory(t);
    writeFileSync(join(cwd, 'trace.secret'), `${KEY}\n`);
    const tokenOf = (code: string): string =>
      spawnSync('sh', ['-c', code], { cwd, encoding: 'utf8' }).stdout.trim().replace('Viaduct-Trace: ', '');
    const code = (script?.text ?? '').replace('/etc/shop/', '');
    assert.deepEqual(readToken(KEY, tokenOf(code)), USUAL_DETAILS);
    assert.equal(readToken(KEY, tokenOf(code), Date.now() + 601_000), null);
    const more = { ...USUAL_DETAILS, profile: true, sqlParameters: true };
    assert.deepEqual(readToken(KEY, tokenOf(code.replace('rand -hex 8).', 'rand -hex 8).qp'))), more);
  });
});
