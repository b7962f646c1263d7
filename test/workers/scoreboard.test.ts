import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { COMPLETE, HEAD } from '../../src/workers/frames.ts';
import { Pool } from '../../src/workers/pool.ts';
import { removeScoreboard, Scoreboard } from '../../src/workers/scoreboard.ts';
import { frame as makeFrame, makeLane } from '../support/lane.ts';
import { poolOptions } from '../support/pool.ts';

const SLOT_BYTES = 16 + 262_144;

describe('Scoreboard', () => {
  let directory = '';
  let path = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-scoreboard-'));
    path = join(directory, 'worker-1.scoreboard');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('returns the last started request and the unsent responses of each lane', () => {
    writeFileSync(path, Buffer.concat([slot(7, Buffer.alloc(0)), slot(12, Buffer.from('frames'))]));
    const scoreboard = new Scoreboard(path);
    assert.deepEqual([scoreboard.lastStarted(0), scoreboard.lastStarted(1)], [7, 12]);
    assert.deepEqual([`${scoreboard.copies(0)}`, `${scoreboard.copies(1)}`], ['', 'frames']);
    scoreboard.close();
  });

  it('refuses what is not a file, and waits for nothing', () => {
    for (const make of [
      () => execFileSync('mkfifo', [path]),
      () => symlinkSync('/dev/null', path),
      () => symlinkSync('/etc/passwd', path),
    ]) {
      make();
      assert.throws(() => new Scoreboard(path));
      rmSync(path, { force: true });
    }
  });

  it('leaves no file behind that a cleanup could remove', () => {
    writeFileSync(path, slot(0, Buffer.alloc(0)));
    const scoreboard = new Scoreboard(path);
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(scoreboard.lastStarted(0), 0);
    scoreboard.close();
  });

  it('is removed when nobody opened it, whatever is there', () => {
    writeFileSync(path, slot(0, Buffer.alloc(0)));
    removeScoreboard(path);
    assert.deepEqual(readdirSync(directory), []);
    removeScoreboard(path);
    mkdirSync(path);
    removeScoreboard(path);
  });
});

describe('a lane whose worker died', () => {
  it('answers finished requests from the copies and the running one with 502, and restarts the others elsewhere', () => {
    const { lane, answers, requests } = makeLane([1, 2, 3, 4, 5]);
    const pool = makePool();
    lane.recover(Buffer.concat([frame(9, 'left long ago'), frame(1, 'one'), frame(2, 'two')]));
    pool.settleDeadLane(lane, 3);
    assert.deepEqual(answers, ['200 one', '200 two', '502 Bad Gateway: the worker that ran this request died\n']);
    assert.equal(pool.waiting, 2);
    assert.deepEqual(
      requests.map(({ settled }) => settled),
      [true, true, true, false, false],
    );
    pool.stop();
  });

  it('answers no request with 502 when all started requests were finished', () => {
    const { lane, answers } = makeLane([1, 2, 3]);
    const pool = makePool();
    lane.recover(Buffer.concat([frame(1, 'one'), frame(2, 'two')]));
    pool.settleDeadLane(lane, 2);
    assert.deepEqual(answers, ['200 one', '200 two']);
    assert.equal(pool.waiting, 1);
    pool.stop();
  });

  it('takes no response from copies that are not responses', () => {
    const wrong = [
      makeFrame({ id: 1, kind: COMPLETE, status: 0 }),
      makeFrame({ id: 1, kind: COMPLETE, bodyLength: 0xffffffff }),
      makeFrame({ id: 1, kind: HEAD, body: 'part' }),
      Buffer.from('not a frame, but long enough for the head of one'),
    ];
    for (const copies of wrong) {
      const { lane, answers } = makeLane([1, 2]);
      const pool = makePool();
      lane.recover(Buffer.concat([copies, frame(1, 'behind it')]));
      pool.settleDeadLane(lane, 1);
      assert.deepEqual(answers, ['502 Bad Gateway: the worker that ran this request died\n']);
      pool.stop();
    }
  });
});

function slot(started: number, copies: Buffer): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32LE(started, 0);
  bytes.writeUInt32LE(copies.length, 8);
  copies.copy(bytes, 16);
  return bytes;
}

/** A frame with a complete response. */
function frame(id: number, body: string): Buffer {
  return makeFrame({ id, kind: COMPLETE, body });
}

function makePool(): Pool {
  return new Pool(poolOptions({ laneDepthMax: 8, onError() {} }));
}
