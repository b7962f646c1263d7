/** FastCGI 1.0, section 8: types of records. */
export const BEGIN_REQUEST = 1;
export const ABORT_REQUEST = 2;
export const END_REQUEST = 3;
export const PARAMS = 4;
export const STDIN = 5;
export const STDOUT = 6;
export const STDERR = 7;
export const DATA = 8;
export const GET_VALUES = 9;
export const GET_VALUES_RESULT = 10;
export const UNKNOWN_TYPE = 11;

export const RESPONDER = 1;
/** Flag of BEGIN_REQUEST: the connection continues after the request. */
export const KEEP_CONN = 1;
/** Bytes of a record's head (section 3.3). */
export const RECORD_HEAD_BYTES = 8;
/** Longest content of one record. */
export const RECORD_CONTENT_MAX = 65535;

/** The head of a record (section 3.3), as latin-1, for content of `length` bytes without padding. */
export function recordHead(type: number, id: number, length: number): string {
  return String.fromCharCode(1, type, id >> 8, id & 0xff, length >> 8, length & 0xff, 0, 0);
}

/** `content`, in latin-1, as records of one stream: as many as necessary, none for ''. */
export function records(type: number, id: number, content: string): string {
  let text = '';
  for (let at = 0; at < content.length; at += RECORD_CONTENT_MAX) {
    const part = content.slice(at, at + RECORD_CONTENT_MAX);
    text += recordHead(type, id, part.length) + part;
  }
  return text;
}

/** A name-value pair (section 3.4), as latin-1. */
export function nameValue(name: string, value: string): string {
  return lengthOf(name) + lengthOf(value) + name + value;
}

function lengthOf({ length }: string): string {
  if (length < 128) return String.fromCharCode(length);
  return String.fromCharCode(0x80 | (length >>> 24), (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

/** Receives the content of a stream of records. `content` is valid only during the call. */
export interface RecordSink {
  /** Called with each part of a record's content: a large record has several. `left` bytes of this record follow. */
  content(type: number, id: number, content: Buffer, left: number): void;
}

/** Parses a stream of records as it arrives, without storing content. Empty records are reported too, because they end streams. */
export class RecordReader {
  readonly #sink: RecordSink;
  readonly #head = Buffer.alloc(RECORD_HEAD_BYTES);
  #headBytes = 0;
  #left = 0;
  #padding = 0;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  /** Whether the stream is between two records. */
  get atBoundary(): boolean {
    return this.#headBytes === 0;
  }

  /** Reads `bytes`. Returns null, or the reason why they are invalid; do not call it again after that. */
  read(bytes: Buffer): string | null {
    let at = 0;
    while (at < bytes.length) {
      if (this.#headBytes < RECORD_HEAD_BYTES) {
        const taken = Math.min(RECORD_HEAD_BYTES - this.#headBytes, bytes.length - at);
        bytes.copy(this.#head, this.#headBytes, at, at + taken);
        this.#headBytes += taken;
        at += taken;
        if (this.#headBytes < RECORD_HEAD_BYTES) return null;
        if (this.#head[0] !== 1) return `a record has version ${this.#head[0]}, not 1`;
        this.#left = this.#head.readUInt16BE(4);
        this.#padding = this.#head[6] as number;
        if (this.#left === 0) this.#report(bytes.subarray(at, at));
      } else if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#left -= taken;
        this.#report(bytes.subarray(at, at + taken));
        at += taken;
      } else {
        const taken = Math.min(this.#padding, bytes.length - at);
        this.#padding -= taken;
        at += taken;
      }
      if (this.#left === 0 && this.#padding === 0) this.#headBytes = 0;
    }
    return null;
  }

  #report(content: Buffer): void {
    this.#sink.content(this.#head[1] as number, this.#head.readUInt16BE(2), content, this.#left);
  }
}
