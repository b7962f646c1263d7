/**
 * Frames from a worker's lane. Each begins with 32 bytes, little-endian (`FRAME` in exchange.py):
 * request u32, kind u8, has u8, status u16, head bytes u32, body bytes u32, Content-Length i64 or -1, nanoseconds u64.
 */
export const FRAME_HEAD_BYTES = 32;

/** The whole response. */
export const COMPLETE = 1;
/** Its head and first block; more follows. */
export const HEAD = 2;
export const BLOCK = 3;
export const END = 4;
/** The application failed after the head had left: the response must visibly break off. The body is the traceback. */
export const ABORT = 5;
/** Its head, and where the worker holds a file that is the body: descriptor u32, start u64, end u64. */
export const FILE = 6;
/** The application failed before the head left; the body is the traceback. */
export const FAILED = 7;
/** What the lane gave up when it was asked to: of no request; the body is the ids, u32 each. */
export const RECALLED = 8;
/** An interim response before the head has left: its field lines. */
export const EARLY_HINTS = 9;

/** Bit of `has`, beside those of `Response.has`: the head begins with a reason phrase and CRLF. */
export const HAS_REASON = 4;

/** Reads a 64-bit number below 2^53; -1 for the two's complement of 1. */
export function readInt64(data: Buffer, offset: number): number {
  const high = data.readUInt32LE(offset + 4);
  return high === 0xffffffff ? -1 : high * 4294967296 + data.readUInt32LE(offset);
}
