import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { recordThrown } from '../../src/trace/record-thrown.ts';

const HERE = fileURLToPath(import.meta.url);

function inner(): never {
  throw new RangeError('too far', { cause: new Error('the reason') });
}

function thrownBy(fail: () => unknown): unknown {
  try {
    return fail();
  } catch (error) {
    return error;
  }
}

describe('recordThrown', () => {
  it('has the frames, the outermost first, with the source around each line', () => {
    const { type, message, frames, traceback, chain } = recordThrown(thrownBy(inner), '/nowhere/');
    assert.deepEqual([type, message], ['RangeError', 'too far']);
    assert.match(traceback, /^RangeError: too far\n\s+at inner/);
    const last = frames.at(-1);
    assert.deepEqual([last?.function, last?.file, last?.isProject], ['inner', HERE, true]);
    const lines = readFileSync(HERE, 'utf8').split('\n');
    assert.equal(last?.source[last.line - last.sourceLine], lines[(last?.line ?? 0) - 1]);
    assert.match(last?.source.join('\n') ?? '', /throw new RangeError/);
    assert.deepEqual(
      chain.map((each) => [each.relation, each.message]),
      [['cause', 'the reason']],
    );
  });

  it('knows the frames of Node, of packages and of this program', () => {
    const error = new Error('x');
    error.stack =
      'Error: x\n    at view (/srv/site.ts:3:1)\n    at /srv/node_modules/a/b.js:1:1\n    at async Promise.all (index 0)\n    at run (file:///opt/viaduct/dist/c.js:2:1)\n    at node:internal/timers:5:9';
    const { frames } = recordThrown(error, '/opt/viaduct/dist/');
    assert.deepEqual(
      frames.map(({ file, line, function: name, isProject }) => [file, line, name, isProject]),
      [
        ['node:internal/timers', 5, '<anonymous>', false],
        ['/opt/viaduct/dist/c.js', 2, 'run', false],
        ['/srv/node_modules/a/b.js', 1, '<anonymous>', false],
        ['/srv/site.ts', 3, 'view', true],
      ],
    );
  });

  it('has the errors of an AggregateError with their causes, as many as fit', () => {
    const failed = (number: number): Error => new Error(`failed ${number}`, { cause: new Error(`cause ${number}`) });
    const thrown = new AggregateError([failed(1), 'text', ...[3, 4, 5, 6, 7, 8, 9, 10].map(failed)], 'several', {
      cause: new Error('of all'),
    });
    const { members, chain } = recordThrown(thrown, '/');
    assert.equal(members, 10);
    assert.deepEqual(
      chain.slice(0, 4).map(({ relation, of, message }) => [relation, of, message]),
      [
        ['member', -1, 'failed 1'],
        ['cause', 0, 'cause 1'],
        ['member', -1, 'text'],
        ['member', -1, 'failed 3'],
      ],
    );
    assert.deepEqual(chain.at(-1)?.message, 'of all');
    assert.equal(chain.length, 16);
    Object.defineProperty(thrown, 'errors', { value: 'none' });
    assert.equal(recordThrown(thrown, '/').members, 0);
  });

  it('takes whatever was thrown, and ends a circle of causes', () => {
    assert.equal(recordThrown('text', '/').message, 'text');
    const one = new Error('one');
    const two = new Error('two', { cause: one });
    one.cause = two;
    assert.deepEqual(
      recordThrown(one, '/').chain.map(({ message }) => message),
      ['two'],
    );
    const refusing = new Error('kept');
    Object.defineProperty(refusing, 'cause', {
      get(): never {
        throw new Error('no');
      },
    });
    assert.deepEqual(recordThrown(refusing, '/').chain, []);
    refusing.stack = `Error: kept\n    at ${'x'.repeat(100_000)}`;
    assert.deepEqual(recordThrown(refusing, '/').frames, []);
  });
});
