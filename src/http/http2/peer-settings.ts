import {
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  FLOW_CONTROL_ERROR,
  FRAME_BYTES_LIMIT,
  FRAME_BYTES_MAX,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_HEADER_LIST_SIZE,
  PROTOCOL_ERROR,
  SETTING_BYTES,
  WINDOW_BYTES,
  WINDOW_BYTES_MAX,
} from './frames.ts';

const NO_SIZES: readonly number[] = [];

/** Why a connection ends: the error code of its GOAWAY (RFC 9113 section 7), and the reason in words for people. */
export interface Violation {
  readonly code: number;
  readonly reason: string;
}

/** The settings of a peer, as far as they matter to the sender of frames (RFC 9113 section 6.5.2). */
export class PeerSettings {
  /** The first size of a stream's window. */
  windowBytes = WINDOW_BYTES;
  /** The sizes of the peer's table for header sections in the last frame: the smallest one and the final one (RFC 7541 section 4.2). */
  tableSizes: readonly number[] = NO_SIZES;
  /** Whether the peer accepts pushed responses, as it says (RFC 9113 section 6.5.2). */
  enablesPush = false;
  /** How many streams the peer accepts at the same time. */
  streamsMax = Number.POSITIVE_INFINITY;
  /** The largest header section that the peer accepts (RFC 9113 section 6.5.2). */
  listBytesMax = Number.POSITIVE_INFINITY;

  /** Reads the settings in a frame, in order. Returns the first violation. */
  read(bytes: Buffer, start: number, end: number): Violation | null {
    this.tableSizes = NO_SIZES;
    for (let at = start; at < end; at += SETTING_BYTES) {
      const violation = this.#readOne(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2));
      if (violation !== null) return violation;
    }
    return null;
  }

  #readOne(key: number, value: number): Violation | null {
    if (key === HEADER_TABLE_SIZE) this.tableSizes = [Math.min(value, ...this.tableSizes), value];
    else if (key === MAX_CONCURRENT_STREAMS) this.streamsMax = value;
    else if (key === MAX_HEADER_LIST_SIZE) this.listBytesMax = value;
    else if (key === INITIAL_WINDOW_SIZE) {
      if (value > WINDOW_BYTES_MAX) return { code: FLOW_CONTROL_ERROR, reason: 'INITIAL_WINDOW_SIZE is too large' };
      this.windowBytes = value;
    } else if (key === ENABLE_PUSH) {
      if (value > 1) return violation('ENABLE_PUSH is neither 0 nor 1');
      this.enablesPush = value === 1;
    } else if (key === ENABLE_CONNECT_PROTOCOL && value > 1) {
      return violation('ENABLE_CONNECT_PROTOCOL is neither 0 nor 1');
    } else if (key === MAX_FRAME_SIZE && (value < FRAME_BYTES_MAX || value > FRAME_BYTES_LIMIT)) {
      return violation('MAX_FRAME_SIZE is outside its range');
    }
    return null;
  }
}

function violation(reason: string): Violation {
  return { code: PROTOCOL_ERROR, reason };
}
