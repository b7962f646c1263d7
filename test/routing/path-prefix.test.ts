import { equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathPrefix } from '../../src/routing/path-prefix.ts';

const CASES: readonly (readonly [prefix: string, path: string, length: number])[] = [
  ['/app', '/app', 4],
  ['/app', '/app/', 4],
  ['/app/', '/app', 4],
  ['/app', '/app/x', 4],
  ['/app', '/apple', -1],
  ['/app', '/ap', -1],
  ['/app', '/', -1],
  ['/app', '/APP/x', -1],
  ['/app', '/%61pp', 6],
  ['/app', '/%61p%70/x%20y', 8],
  ['/app', '/app%2Fx', -1],
  ['/app', '/app%2fx/y', -1],
  ['/app', '/%2Fapp', -1],
  ['/app', '/app%', -1],
  ['/app', '/app/%ff', 4],
  ['/app', '/%ffapp', -1],
  ['/app', '//app/x', -1],
  ['/app', '/./app/x', -1],
  ['/a/b', '/a/b/c', 4],
  ['/a/b', '/a', -1],
  ['/a/b', '/%61', -1],
  ['/a/b', '/a/b%20', -1],
  ['/über uns', '/%C3%BCber%20uns/x', 16],
  ['/über uns', '/%c3%bcber%20uns', 16],
  ['/über uns', '/%FCber%20uns', -1],
  ['/100%', '/100%25/x', 7],
  ['/100%', '/100%', -1],
  ['/', '/', 0],
  ['/', '/x', 0],
  ['/', '//x', 0],
  ['/', '/%61', 0],
  ['/', '*', -1],
];

describe('a path prefix', () => {
  for (const [prefix, path, length] of CASES) {
    it(`${prefix} matches ${length} characters of ${path}`, () => {
      equal(new PathPrefix(prefix, 'prefix').lengthIn(path), length);
    });
  }

  for (const path of ['', 'app', '//', '/a//b', '/a/../b', '/.', '/a?b', '/a#b', '/a\\b', '/a\nb', 'http://x/']) {
    it(`is refused when it is ${JSON.stringify(path)}`, () => {
      throws(() => new PathPrefix(path, 'mount prefix'), /mount prefix/);
    });
  }
});
