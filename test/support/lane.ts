import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import type { Response } from '../../src/http/response.ts';
import { Lane } from '../../src/workers/lane.ts';
import type { LaneOwner } from '../../src/workers/lane-owner.ts';
import { PendingRequest } from '../../src/workers/pending-request.ts';

/** A lane in which requests wait, without a worker. */
export interface TestLane {
  readonly lane: Lane;
  readonly requests: readonly PendingRequest[];
  /** `STATUS BODY` of the whole responses, in order. */
  readonly answers: string[];
  /** Why the worker was declared broken. */
  readonly broken: string[];
  /** Gives bytes to the lane as if the worker had sent them. */
  receive(bytes: Uint8Array): void;
}

/** An owner that does nothing, whatever its lane does. */
export const PASSIVE_OWNER: LaneOwner = {
  responseLimits: { memoryBytesMax: 1, bytesMax: 1 },
  sectionsMax: 128,
  requests: 0,
  pid: 4711,
  onRoom() {},
  onFailed() {},
  onFile() {},
  onOverdue() {},
  onInterrupted() {},
  onStuck() {},
  onAbandoned() {},
  onRecall() {},
  onRecalled() {},
  onBroken() {},
};

/** Makes a lane of this worker without requests and without an end that reads. */
export function idleLane(worker = 1): Lane {
  return new Lane(new PassThrough() as unknown as Socket, worker, 0, PASSIVE_OWNER);
}

/** Makes a lane with the requests `ids`, the first of which runs. */
export function makeLane(ids: readonly number[], owner: Partial<LaneOwner> = {}): TestLane {
  const broken: string[] = [];
  const socket = new PassThrough();
  const lane = new Lane(socket as unknown as Socket, 1, 0, {
    ...PASSIVE_OWNER,
    onBroken: (_lane, reason) => broken.push(reason),
    ...owner,
  });
  const answers: string[] = [];
  const requests = ids.map((id) => {
    const request = { method: 'GET', path: '/', gone: false, onGone: null, record: newRecord(), sendInterim() {} };
    const pending = new PendingRequest(id, request as unknown as Request);
    pending.then(
      ({ status, body }: Response) => answers.push(`${status} ${body instanceof Uint8Array ? Buffer.from(body) : '…'}`),
      () => {},
    );
    return pending;
  });
  lane.inflight.push(...requests);
  return {
    lane,
    requests,
    answers,
    broken,
    receive: (bytes) => void (socket.destroyed || socket.emit('data', Buffer.from(bytes))),
  };
}

/** What a frame says; see `src/workers/frames.ts`. */
export interface FrameParts {
  readonly id?: number;
  readonly kind: number;
  readonly has?: number;
  readonly status?: number;
  readonly lines?: string;
  readonly body?: string | Uint8Array;
  readonly contentLength?: bigint;
  /** The announced lengths, if they are not the real ones. */
  readonly linesLength?: number;
  readonly bodyLength?: number;
}

/** The bytes of a frame from a worker. */
export function frame(parts: FrameParts): Buffer {
  const { id = 1, kind, has = 0, status = 200, lines = '', body = '', contentLength = -1n } = parts;
  const head = Buffer.alloc(32);
  head.writeUInt32LE(id, 0);
  head[4] = kind;
  head[5] = has;
  head.writeUInt16LE(status, 6);
  head.writeUInt32LE(parts.linesLength ?? lines.length, 8);
  head.writeUInt32LE(parts.bodyLength ?? body.length, 12);
  head.writeBigInt64LE(contentLength, 16);
  return Buffer.concat([head, Buffer.from(lines, 'latin1'), Buffer.from(body as string)]);
}
