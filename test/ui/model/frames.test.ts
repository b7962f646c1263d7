import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../src/trace/document.ts';
import { framesOf, packageOf } from '../../../ui/model/frames.ts';

const frame = (file: string): Frame => ({
  file,
  line: 1,
  function: 'f',
  source: [],
  sourceLine: 1,
  locals: [],
  columns: null,
  isProject: file.startsWith('/srv'),
});

/** Each part in a word: `*` is open, `+` shows its variables, and a number is that of library frames. */
function shown(...files: string[]): string {
  return framesOf(files.map(frame))
    .map((part) =>
      'library' in part
        ? `${part.library.length} ${part.names.join('+')}`
        : `${part.frame.file}${part.open ? '*' : ''}${part.shows ? '+' : ''}`,
    )
    .join(' | ');
}

const DJANGO = '/venv/site-packages/django/core.py';
const DECODER = '/usr/lib/python3.11/json.py';

describe('framesOf', () => {
  it('puts frames of libraries in a row together, and opens those of the project', () => {
    assert.equal(
      shown(DJANGO, DJANGO, '/srv/a.py', DECODER, DJANGO, '/srv/b.py'),
      '2 django | /srv/a.py* | 2 json+django | /srv/b.py*+',
    );
  });

  it('leaves the frame alone that raised, and one between others', () => {
    assert.equal(
      shown('/srv/a.py', DJANGO, '/srv/b.py', DJANGO, DJANGO, DECODER),
      `/srv/a.py* | ${DJANGO} | /srv/b.py*+ | 2 django | ${DECODER}`,
    );
  });

  it('opens only the outermost and the innermost call of a recursion', () => {
    assert.equal(
      shown('/srv/a.py', '/srv/b.py', '/srv/b.py', '/srv/b.py', '/srv/b.py'),
      '/srv/a.py* | /srv/b.py* | /srv/b.py | /srv/b.py | /srv/b.py*+',
    );
  });

  it('opens the last frame if none is of the project', () => {
    assert.equal(shown(DJANGO, DECODER), `${DJANGO} | ${DECODER}*+`);
    assert.equal(shown(), '');
  });
});

describe('packageOf', () => {
  it('is the name of the package, or of the file', () => {
    const names = [DJANGO, DECODER, '/a/node_modules/@scope/name/dist/x.js', 'node:internal/timers', '<string>'].map(
      packageOf,
    );
    assert.deepEqual(names, ['django', 'json', '@scope/name', 'timers', '<string>']);
  });
});
