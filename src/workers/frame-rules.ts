import { ABORT, BLOCK, COMPLETE, EARLY_HINTS, END, HEAD } from './frames.ts';

/**
 * What a worker says is input: every length and every order is checked, so that a broken worker costs no memory and no
 * other request.
 */

/** Bodies from this size on are passed to the client as they arrive, smaller ones when they are complete. */
const PIECEWISE_BYTES_MIN = 32768;
/** Longest field lines of a response. `call.py` refuses longer ones and has the same number. */
const LINES_BYTES_MAX = 1_048_576;
/** Longest body that is not passed to the client: a traceback, the ids of a recall, or the record of a trace. `call.py` has the same number. */
const REPORT_BYTES_MAX = 1_048_576;

/** Whether the frame at `position`, with a body of `length` bytes, is handled before all of its body is there. */
export function startsEarly(data: Buffer, position: number, length: number): boolean {
  return length >= PIECEWISE_BYTES_MIN && isForClient(data, position);
}

/** Why the server does not wait for the rest of the frame at `position`, whose first 32 bytes are there; '' if it waits. */
export function wrongLength(data: Buffer, position: number): string {
  const lines = data.readUInt32LE(position + 8);
  const body = data.readUInt32LE(position + 12);
  if (lines > LINES_BYTES_MAX) return `it announced ${lines} bytes of header fields`;
  if (body > REPORT_BYTES_MAX && !isForClient(data, position)) return `it announced a report of ${body} bytes`;
  return '';
}

/** Why a frame of `kind` cannot come next for a request; '' if it can. `isStreaming`: the head of the response has arrived. */
export function wrongOrder(kind: number, isStreaming: boolean): string {
  if (kind < COMPLETE || kind > EARLY_HINTS) return `it sent a frame of unknown kind ${kind}`;
  const continues = kind === BLOCK || kind === END || kind === ABORT;
  if (continues === isStreaming) return '';
  return isStreaming ? 'it answered a request twice' : 'it continued a response that it had not started';
}

/** Ids in the body of a RECALLED frame: bytes `start` to `end`. Null if the body cannot be a list of ids. */
export function recalledIds(data: Buffer, start: number, end: number): ReadonlySet<number> | null {
  if ((end - start) % 4 !== 0) return null;
  const ids = new Set<number>();
  for (let at = start; at < end; at += 4) ids.add(data.readUInt32LE(at));
  return ids;
}

/** The server itself needs all other bodies complete. */
function isForClient(data: Buffer, position: number): boolean {
  const kind = data[position + 4] as number;
  return kind === COMPLETE || kind === HEAD || kind === BLOCK;
}
