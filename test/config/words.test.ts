import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { splitWords } from '../../src/config/words.ts';

const LINES = [
  'a',
  '  a   b\tc ',
  'newrelic-admin run-program',
  '"a b" c',
  '\'a b\'c"d e"',
  'a\\ b',
  '"a\\"b"',
  "'a\\b'",
  '"a\\b"',
  '"" a',
  "a ''",
  '"\'" a',
  "'\"' a",
  '"a\\\\" b',
  'a=b --c="d e"',
  'ä "ö ü"',
];

describe('the words of a command line', () => {
  for (const line of LINES) {
    it(`are those of a shell for ${line}`, () => {
      const shell = spawnSync('sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], {
        encoding: 'utf8',
      });
      assert.deepEqual(splitWords(line), shell.stdout.split('\0').slice(0, -1));
    });
  }

  it('are taken as they are where a shell would expand them', () => {
    assert.deepEqual(splitWords('$HOME *.py `ls` ~ a;b'), ['$HOME', '*.py', '`ls`', '~', 'a;b']);
  });

  for (const line of ['"a', "a'b", 'a\\', '"a\\"']) {
    it(`are not known for ${line}`, () => assert.equal(splitWords(line), null));
  }
});
