import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import type { Response } from '../../src/http/response.ts';
import { Lane, type LaneOwner } from '../../src/workers/lane.ts';
import { Job } from '../../src/workers/pending-request.ts';
import { Pool } from '../../src/workers/pool.ts';
import { Scoreboard } from '../../src/workers/scoreboard.ts';

const SLOT_BYTES = 16 + 262_144;

describe('Scoreboard', () => {
  let directory = '';
  let path = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-scoreboard-'));
    path = join(directory, 'worker-1.scoreboard');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('reads of each lane what it started last and what had not left it', () => {
    writeFileSync(path, Buffer.concat([slot(7, Buffer.alloc(0)), slot(12, Buffer.from('frames'))]));
    const scoreboard = new Scoreboard(path);
    assert.deepEqual([scoreboard.lastStarted(0), scoreboard.lastStarted(1)], [7, 12]);
    assert.deepEqual([`${scoreboard.copies(0)}`, `${scoreboard.copies(1)}`], ['', 'frames']);
    scoreboard.close();
  });

  it('leaves no file behind, so that nobody who tidies up can take it away', () => {
    writeFileSync(path, slot(0, Buffer.alloc(0)));
    const scoreboard = new Scoreboard(path);
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(scoreboard.lastStarted(0), 0);
    scoreboard.close();
  });
});

describe('a lane whose worker died', () => {
  it('answers with the copies what was finished, 502 what ran, and has the rest started elsewhere', () => {
    const { lane, answers, jobs } = laneWith([1, 2, 3, 4, 5]);
    const pool = makePool();
    lane.recover(Buffer.concat([frame(9, 'left long ago'), frame(1, 'one'), frame(2, 'two')]));
    pool.bury(lane, 3);
    assert.deepEqual(answers, ['200 one', '200 two', '502 Bad Gateway: the worker that ran this request died\n']);
    assert.equal(pool.waiting, 2);
    assert.deepEqual(
      jobs.map((job) => job.settled),
      [true, true, true, false, false],
    );
    pool.stop();
  });

  it('answers nothing with 502 when all that it started was finished', () => {
    const { lane, answers } = laneWith([1, 2, 3]);
    const pool = makePool();
    lane.recover(Buffer.concat([frame(1, 'one'), frame(2, 'two')]));
    pool.bury(lane, 2);
    assert.deepEqual(answers, ['200 one', '200 two']);
    assert.equal(pool.waiting, 1);
    pool.stop();
  });
});

function slot(started: number, copies: Buffer): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32LE(started, 0);
  bytes.writeUInt32LE(copies.length, 8);
  copies.copy(bytes, 16);
  return bytes;
}

/** A frame with a whole response. */
function frame(id: number, body: string): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(id, 0);
  bytes[4] = 1;
  bytes.writeUInt16LE(200, 6);
  bytes.writeUInt32LE(body.length, 12);
  bytes.writeBigInt64LE(-1n, 16);
  return Buffer.concat([bytes, Buffer.from(body)]);
}

function laneWith(ids: readonly number[]): { lane: Lane; jobs: Job[]; answers: string[] } {
  const owner: LaneOwner = {
    responseBufferBytesMax: 1,
    onRoom() {},
    onFailed() {},
    onFile() {},
    onAbandoned() {},
    onRecall() {},
    onRecalled() {},
    onBroken() {},
  };
  const lane = new Lane(new PassThrough() as unknown as Socket, { worker: 1, busyLanes: 1 }, 0, owner);
  const answers: string[] = [];
  const jobs = ids.map((id) => {
    const request = { method: 'GET', path: '/', gone: false, onGone: null } as unknown as Request;
    const job = new Job(id, request);
    job.then(
      ({ status, body }: Response) => answers.push(`${status} ${Buffer.from(body as Uint8Array)}`),
      () => {},
    );
    return job;
  });
  lane.inflight.push(...jobs);
  return { lane, jobs, answers };
}

function makePool(): Pool {
  return new Pool({
    queueMax: 10,
    laneDepthMax: 8,
    bodyMemoryBytesMax: 0,
    directory: '',
    retryIdempotent: false,
    onError() {},
  });
}
