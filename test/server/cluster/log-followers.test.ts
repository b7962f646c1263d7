import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogFilter } from '../../../src/log/log-tap.ts';
import { LogFollowers } from '../../../src/server/cluster/log-followers.ts';

const ALL = {} as LogFilter;

describe('those who follow the logs', () => {
  function processes(count: number) {
    const sent: string[] = [];
    const all = Array.from({ length: count }, (_, index) => ({
      send: (message: { kind: string; id?: number }) => void sent.push(`${index}: ${message.kind} ${message.id}`),
    }));
    return { sent, all };
  }

  it('get the lines that are for them from all processes, also from one that starts later', () => {
    const { sent, all } = processes(3);
    const [first, second, later] = all;
    assert.ok(first && second && later);
    const followers = new LogFollowers(() => [first, second]);
    const lines: string[] = [];
    followers.follow(ALL, (line) => lines.push(`a ${line}`));
    followers.follow(ALL, (line) => lines.push(`b ${line}`));
    followers.join(later);
    assert.deepEqual(sent, ['0: follow 1', '1: follow 1', '0: follow 2', '1: follow 2', '2: follow 1', '2: follow 2']);
    followers.received(1, 'one\n\ntwo\n');
    followers.received(2, 'three\n');
    assert.deepEqual(lines, ['a one', 'a two', 'b three']);
  });

  it('get nothing after they have left', () => {
    const { sent, all } = processes(1);
    const followers = new LogFollowers(() => all);
    const leave = followers.follow(ALL, assert.fail);
    leave();
    followers.received(1, 'late\n');
    assert.deepEqual(sent, ['0: follow 1', '0: unfollow 1']);
    followers.join(all[0] as (typeof all)[0]);
    assert.equal(sent.length, 2);
  });
});
