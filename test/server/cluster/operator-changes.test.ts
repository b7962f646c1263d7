import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OperatorChanges } from '../../../src/server/cluster/operator-changes.ts';
import type { ServerProcess } from '../../../src/server/cluster/server-process.ts';

/** What a process is asked that starts now, as number `index` of `count`. */
function questions(changes: OperatorChanges, count = 1, index = 0): unknown[] {
  const asked: unknown[] = [];
  const ask: ServerProcess['ask'] = (question) => {
    asked.push(question);
    return new Promise(() => {});
  };
  changes.repeatIn({ ask }, count, index);
  return asked;
}

describe('what operators have changed', () => {
  it('is nothing at first', () => {
    assert.deepEqual(questions(new OperatorChanges()), []);
  });

  it('is made again in a process that starts later, with its share of the workers', () => {
    const changes = new OperatorChanges();
    changes.changeBackend('a:80', { draining: true });
    changes.changeBackend('a:80', { weight: 3 });
    changes.scale('main', 5);
    changes.drain(true);
    const expected = (workers: number): unknown[] => [
      { about: 'backend', name: 'a:80', change: { draining: true, weight: 3 } },
      { about: 'scale', application: 'main', workers },
      { about: 'drain', draining: true },
    ];
    assert.deepEqual(questions(changes, 2, 0), expected(3));
    assert.deepEqual(questions(changes, 2, 1), expected(2));
  });

  it('loses the numbers of workers, and nothing else, in a reload', () => {
    const changes = new OperatorChanges();
    changes.scale('main', 5);
    changes.drain(true);
    changes.reloaded();
    assert.deepEqual(questions(changes), [{ about: 'drain', draining: true }]);
    changes.drain(false);
    assert.deepEqual(questions(changes), []);
  });
});
