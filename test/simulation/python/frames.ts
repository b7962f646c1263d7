import { FRAME_HEAD_BYTES, RECALLED } from '../../../src/workers/frames.ts';

/** The fields of a frame's head, as `FRAME` in call.py. */
export interface FrameHead {
  readonly request: number;
  readonly kind: number;
  readonly status?: number;
  /** -1 without a Content-Length. */
  readonly contentLength?: number;
  readonly ns?: number;
}

export function frame(head: FrameHead, lines = '', body: Buffer = Buffer.alloc(0)): Buffer {
  const data = Buffer.alloc(FRAME_HEAD_BYTES + lines.length + body.length);
  data.writeUInt32LE(head.request, 0);
  data[4] = head.kind;
  data.writeUInt16LE(head.status ?? 0, 6);
  data.writeUInt32LE(lines.length, 8);
  data.writeUInt32LE(body.length, 12);
  const length = head.contentLength ?? -1;
  data.writeInt32LE(length, 16);
  data.writeInt32LE(length < 0 ? -1 : 0, 20);
  data.writeUInt32LE(Math.floor(head.ns ?? 0) >>> 0, 24);
  data.write(lines, FRAME_HEAD_BYTES, 'latin1');
  body.copy(data, FRAME_HEAD_BYTES + lines.length);
  return data;
}

export function recalledFrame(requests: readonly number[]): Buffer {
  const body = Buffer.alloc(requests.length * 4);
  for (const [index, request] of requests.entries()) body.writeUInt32LE(request, index * 4);
  return frame({ request: 0, kind: RECALLED }, '', body);
}

/** The body of a FILE frame: descriptor, first byte, end. */
export function fileBody(descriptor: number, end: number): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(descriptor, 0);
  body.writeUInt32LE(end, 12);
  return body;
}
