import { equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseEncoding, isIdentityRefused } from '../../../src/http/semantics/accept-encoding.ts';

const OFFERED = ['zstd', 'br', 'gzip'];

describe('Accept-Encoding', () => {
  const choices: [accept: string | null, choice: string | null][] = [
    // the examples of RFC 9110 section 12.5.3
    ['compress, gzip', 'gzip'],
    ['', null],
    ['*', 'zstd'],
    ['compress;q=0.5, gzip;q=1.0', 'gzip'],
    ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip'],
    // values that browsers, curl and a proxy send
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['deflate, gzip', 'gzip'],
    [null, null],
    // weights
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0.8, gzip;q=0.8', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=0.000', null],
    ['gzip;Q=0.5', 'gzip'],
    ['gzip ; q=0.5', 'gzip'],
    ['zstd;q=0, *', 'br'],
    ['*;q=0.5, gzip', 'gzip'],
    ['*;q=0', null],
    ['*;q=0, gzip', 'gzip'],
    // identity as a candidate
    ['identity', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip', 'gzip'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0', null],
    ['identity;q=0, *', 'zstd'],
    // names
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', null],
    ['constructor, __proto__', null],
    // lists with empty elements (RFC 9110 section 5.6.1.2)
    [', gzip ,,\tbr,', 'br'],
    // malformed: treated as absent
    ['gzip;q=2', null],
    ['gzip;q=0.1234', null],
    ['gzip;q=', null],
    ['gzip;q=-1', null],
    ['gzip;level=1', null],
    ['gzip br', null],
    ['gzip, "br"', null],
  ];
  for (const [accept, choice] of choices) {
    it(`${accept === null ? 'absent' : `"${accept}"`} gets ${choice ?? 'identity'}`, () => {
      for (let time = 0; time < 2; time += 1) equal(chooseEncoding(accept, OFFERED), choice);
    });
  }

  it('chooses among the offered codings, and null when none is offered', () => {
    equal(chooseEncoding('gzip, br', ['gzip']), 'gzip');
    equal(chooseEncoding('gzip, br', ['gzip', 'br']), 'gzip');
    equal(chooseEncoding('gzip, br', []), null);
  });

  const refusals: [accept: string | null, refused: boolean][] = [
    [null, false],
    ['', false],
    ['gzip', false],
    ['identity;q=0', true],
    ['*;q=0', true],
    ['gzip, *;q=0', true],
    ['identity, *;q=0', false],
    ['identity;q=0.1, *;q=0', false],
    ['identity;q=0, *', true],
    ['*;q=0, gzip;q=x', false],
  ];
  for (const [accept, refused] of refusals) {
    it(`${accept === null ? 'absent' : `"${accept}"`} ${refused ? 'refuses' : 'takes'} identity`, () => {
      equal(isIdentityRefused(accept), refused);
    });
  }

  it('gets the same results when there are more different values than the cache holds', () => {
    for (let i = 0; i < 1000; i += 1) equal(chooseEncoding(`gzip;q=0, x${i}, br;q=0.5`, OFFERED), 'br');
    equal(chooseEncoding(`${'x,'.repeat(5000)}gzip`, OFFERED), 'gzip');
  });
});
