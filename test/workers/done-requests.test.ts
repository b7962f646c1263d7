import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { DoneRequests } from '../../src/workers/done-requests.ts';
import { PendingRequest } from '../../src/workers/pending-request.ts';

describe('the requests that are done in a lane', () => {
  const request = (id: number) =>
    new PendingRequest(id, { method: 'GET', path: `/${id}`, record: newRecord() } as unknown as Request);

  it('are the last one, until the application writes lines', () => {
    const done = new DoneRequests();
    assert.equal(done.find(1), null);
    for (const id of [1, 2]) done.add(request(id));
    assert.deepEqual([done.find(1), done.find(2)?.path], [null, '/2']);
  });

  it('are the last sixty-four from then on', () => {
    const done = new DoneRequests();
    done.add(request(1));
    done.grow();
    for (let id = 2; id <= 64; id += 1) {
      done.add(request(id));
      done.grow();
    }
    assert.deepEqual(
      [1, 2, 64].map((id) => done.find(id)?.path),
      ['/1', '/2', '/64'],
    );
    done.add(request(65));
    assert.deepEqual(
      [1, 2, 65].map((id) => done.find(id)?.path),
      [undefined, '/2', '/65'],
    );
  });
});
