/**
 * Frames from a worker's lane. Each starts with 32 bytes, little-endian (`FRAME` in call.py): request u32, kind u8, has
 * u8, status u16, head bytes u32, body bytes u32, Content-Length i64 or -1, nanoseconds u64.
 */
export const FRAME_HEAD_BYTES = 32;

/** The complete response. */
export const COMPLETE = 1;
/** The head and the first block of a response; more frames follow. */
export const HEAD = 2;
export const BLOCK = 3;
export const END = 4;
/**
 * The application failed after the head was sent, so the response must visibly break off. The body is the traceback.
 */
export const ABORT = 5;
/** The head of a response whose body is an open file of the worker: descriptor u32, start u64, end u64. */
export const FILE = 6;
/** The application failed before the head was sent. The body is the traceback. */
export const FAILED = 7;
/**
 * The requests that the lane gave back after a recall. The frame belongs to no request; the body holds their ids, u32
 * each.
 */
export const RECALLED = 8;
/** An interim response before the head. It contains field lines. */
export const EARLY_HINTS = 9;
/** The end of a request that was interrupted, whatever was sent for it before. */
export const INTERRUPTED = 10;
/** What the thread recorded of a request, marshalled, after everything else of it. Only for a request that is traced. */
export const TRACE = 11;

/** Bit of `has`: the head starts with a reason phrase and CRLF. */
export const HAS_REASON = 4;

/** Reads a 64-bit number below 2^53, or -1 in two's complement. */
export function readInt64(data: Buffer, offset: number): number {
  const high = data.readUInt32LE(offset + 4);
  return high === 0xffffffff ? -1 : high * 4294967296 + data.readUInt32LE(offset);
}
