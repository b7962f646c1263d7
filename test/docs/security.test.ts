import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ATTACKS } from '../attack/attacks/index.ts';
import { ROOT } from '../support/viaduct.ts';

const PAGE = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
/** The rows that say which test verifies a promise. */
const ROWS = PAGE.split('\n').filter((line) => /^\| .*(?:attack|test)/.test(line));

describe('the security page', () => {
  it('names attacks that exist', () => {
    const known = [...ATTACKS.map(({ name }) => name), 'stop'];
    const named = ROWS.flatMap((row) => [...row.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name));
    assert.ok(named.length > 20);
    assert.deepEqual(
      named.filter((name) => !known.some((attack) => attack.endsWith(name))),
      [],
    );
  });

  it('names each attack with its words', () => {
    const text = ROWS.join('\n');
    const missing = ATTACKS.map(({ name }) => name.replace(/^(?:uwsgi|fastcgi|scgi): /, ''))
      .filter((name) => !text.includes(`"${name}"`))
      .filter((name) => !/while streams are open$|whose client does not read$/.test(name));
    assert.deepEqual(missing, []);
  });

  it('names tests that exist', () => {
    const paths = [...ROWS.join('\n').matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path);
    assert.ok(paths.length > 8);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
});
