import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FRAME_BYTES_MAX,
  FRAME_HEAD_BYTES,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTING_BYTES,
  SETTINGS,
  uint31,
  WINDOW_UPDATE,
} from './frames.ts';

/** What the frames of a peer say. Positions are in `bytes`, which are valid only during the call. */
export interface FrameReceiver {
  /** DATA of stream `id` starts. `length` counts for flow control. */
  onData(id: number, length: number): void;
  /** A part of the content in the present DATA frame. */
  onContent(id: number, bytes: Buffer, start: number, end: number): void;
  /** The present DATA frame is complete; `padding` of its bytes are not content. */
  onDataOver(id: number, padding: number, endsStream: boolean): void;
  /** A complete header section. `dependsOn` is the stream of its priority (RFC 7540 section 5.3.1), -1 without one. */
  onHeaders(id: number, bytes: Buffer, start: number, end: number, endsStream: boolean, dependsOn: number): void;
  /** A priority of RFC 7540. If its length is not valid, this is an error of the stream. */
  onPriority(id: number, dependsOn: number, isValid: boolean): void;
  onReset(id: number, code: number): void;
  /** Settings of six bytes each. */
  onSettings(bytes: Buffer, start: number, end: number): void;
  onSettingsAck(): void;
  onPing(bytes: Buffer, start: number, isAck: boolean): void;
  onGoaway(lastId: number, code: number): void;
  onWindowUpdate(id: number, increment: number): void;
  /** The value of a Priority field for stream `id` (RFC 9218 section 7.1). */
  onPriorityUpdate(id: number, bytes: Buffer, start: number, end: number): void;
  /** A frame of an unknown type. */
  onUnknown(): void;
  /** The peer violated the protocol, so the connection ends with this code. No other call follows. */
  onViolation(code: number, reason: string): void;
}

/** CONTINUATION frames of one header section: a section of valid size never needs more (CVE-2024-27316). */
const CONTINUATIONS_MAX = 8;
const ID = 5;
const FLAGS = 4;
const TYPE = 3;
const PING_BYTES = 8;
const PRIORITY_BYTES = 5;
const WORD_BYTES = 4;

/**
 * Cuts the bytes of a peer into frames (RFC 9113 section 4), however they arrive, and checks what needs no state of a stream: the preface,
 * lengths, padding, and that nothing comes between the frames of one header section. It holds at most one incomplete frame.
 */
export class FrameReader {
  readonly #receiver: FrameReceiver;
  readonly #sectionBytesMax: number;
  /** The start of a frame, or of the preface, that has not arrived completely. */
  #held: Buffer | null = null;
  #heldBytes = 0;
  #hasPreface: boolean;
  #hasSettings = false;
  /** Bytes of the present DATA frame still to come: content, then padding. */
  #content = 0;
  #padding = 0;
  #inData = false;
  #dataId = 0;
  #dataEnds = false;
  #dataPadding = 0;
  /** The header section whose last frame has not come, and its stream. */
  #section: Buffer[] | null = null;
  #sectionBytes = 0;
  #sectionId = 0;
  #sectionEnds = false;
  #sectionDependsOn = -1;
  #stopped = false;

  /** `sectionBytesMax` limits one header section as it is sent. A server awaits the preface of its client. */
  constructor(receiver: FrameReceiver, sectionBytesMax: number, awaitsPreface: boolean) {
    this.#receiver = receiver;
    this.#sectionBytesMax = sectionBytesMax;
    this.#hasPreface = !awaitsPreface;
  }

  /** Whether a header section has started and not ended. */
  get inHeaders(): boolean {
    return this.#section !== null || (this.#heldBytes > TYPE && this.#hasPreface && this.#held?.[TYPE] === HEADERS);
  }

  /** Whether the peer has sent its preface and its settings. */
  get isReady(): boolean {
    return this.#hasSettings;
  }

  /** Ignores everything that follows. */
  stop(): void {
    this.#stopped = true;
    this.#held = null;
    this.#section = null;
  }

  /** Reads `length` bytes. */
  receive(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length && !this.#stopped) {
      if (this.#inData) at = this.#readData(bytes, at, length);
      else if (this.#heldBytes > 0) at = this.#complete(bytes, at, length);
      else {
        const needed = this.#needed(bytes, at, length - at);
        if (needed < 0) return;
        if (at + needed > length) {
          this.#hold(bytes, at, length, needed);
          return;
        }
        at = this.#frame(bytes, at, needed);
      }
    }
  }

  /** How many bytes must be here to go on: of the preface, of a frame's head, or of a frame. -1 after a violation. */
  #needed(bytes: Buffer, at: number, available: number): number {
    if (!this.#hasPreface) {
      const compared = Math.min(available, PREFACE.length);
      if (bytes.compare(PREFACE, 0, compared, at, at + compared) === 0) return PREFACE.length;
      return this.#violate(PROTOCOL_ERROR, 'the connection did not start with the preface of HTTP/2');
    }
    if (available < FRAME_HEAD_BYTES) return FRAME_HEAD_BYTES;
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const type = bytes[at + TYPE] as number;
    if (length > FRAME_BYTES_MAX) return this.#violate(FRAME_SIZE_ERROR, 'a frame is longer than allowed');
    if (!this.#hasSettings && (type !== SETTINGS || ((bytes[at + FLAGS] as number) & ACK) !== 0)) {
      return this.#violate(PROTOCOL_ERROR, 'the first frame is not SETTINGS');
    }
    if (type !== DATA) return FRAME_HEAD_BYTES + length;
    // The content of DATA is passed on as it arrives; only the length of the padding must be here.
    return FRAME_HEAD_BYTES + (((bytes[at + FLAGS] as number) & PADDED) !== 0 && length > 0 ? 1 : 0);
  }

  #hold(bytes: Buffer, at: number, length: number, needed: number): void {
    const held = Buffer.allocUnsafe(needed);
    bytes.copy(held, 0, at, length);
    this.#held = held;
    this.#heldBytes = length - at;
  }

  /** Adds to the incomplete frame, and reads it once it is complete. */
  #complete(bytes: Buffer, at: number, length: number): number {
    let held = this.#held as Buffer;
    const taken = Math.min(held.length - this.#heldBytes, length - at);
    bytes.copy(held, this.#heldBytes, at, at + taken);
    this.#heldBytes += taken;
    if (this.#heldBytes < held.length) {
      if (!this.#hasPreface) this.#needed(held, 0, this.#heldBytes);
      return at + taken;
    }
    const needed = this.#needed(held, 0, this.#heldBytes);
    if (needed < 0) return length;
    if (needed > this.#heldBytes) {
      const longer = Buffer.allocUnsafe(needed);
      held.copy(longer, 0, 0, this.#heldBytes);
      this.#held = longer;
      return at + taken;
    }
    held = this.#held as Buffer;
    this.#held = null;
    this.#heldBytes = 0;
    this.#frame(held, 0, needed);
    return at + taken;
  }

  /** Reads what starts at `at` and is complete after `needed` bytes. Returns the position after it. */
  #frame(bytes: Buffer, at: number, needed: number): number {
    const end = at + needed;
    if (!this.#hasPreface) {
      this.#hasPreface = true;
      return end;
    }
    const type = bytes[at + TYPE] as number;
    const flags = bytes[at + FLAGS] as number;
    const id = uint31(bytes, at + ID);
    const start = at + FRAME_HEAD_BYTES;
    if (this.#section !== null && (type !== CONTINUATION || id !== this.#sectionId)) {
      this.#violate(PROTOCOL_ERROR, 'a frame came within a header section');
      return end;
    }
    switch (type) {
      case DATA:
        this.#startData(bytes, at, flags, id);
        break;
      case HEADERS:
        this.#headers(bytes, start, end, flags, id);
        break;
      case PRIORITY:
        if (this.#isOfStream(id)) {
          const isValid = end - start === PRIORITY_BYTES;
          this.#receiver.onPriority(id, isValid ? uint31(bytes, start) : -1, isValid);
        }
        break;
      case RST_STREAM:
        if (this.#isOfStream(id) && this.#hasLength(end - start === WORD_BYTES)) {
          this.#receiver.onReset(id, bytes.readUInt32BE(start));
        }
        break;
      case SETTINGS:
        if (this.#isOfConnection(id)) this.#settings(bytes, start, end, flags);
        break;
      case PUSH_PROMISE:
        this.#violate(PROTOCOL_ERROR, 'the peer sent PUSH_PROMISE');
        break;
      case PING:
        if (this.#isOfConnection(id) && this.#hasLength(end - start === PING_BYTES)) {
          this.#receiver.onPing(bytes, start, (flags & ACK) !== 0);
        }
        break;
      case GOAWAY:
        if (this.#isOfConnection(id) && this.#hasLength(end - start >= 2 * WORD_BYTES)) {
          this.#receiver.onGoaway(uint31(bytes, start), bytes.readUInt32BE(start + WORD_BYTES));
        }
        break;
      case WINDOW_UPDATE:
        if (this.#hasLength(end - start === WORD_BYTES)) this.#receiver.onWindowUpdate(id, uint31(bytes, start));
        break;
      case CONTINUATION:
        this.#continue(bytes, start, end, flags);
        break;
      case PRIORITY_UPDATE:
        if (this.#isOfConnection(id) && this.#hasLength(end - start >= WORD_BYTES)) {
          this.#receiver.onPriorityUpdate(uint31(bytes, start), bytes, start + WORD_BYTES, end);
        }
        break;
      default:
        this.#receiver.onUnknown();
    }
    return end;
  }

  #startData(bytes: Buffer, at: number, flags: number, id: number): void {
    if (!this.#isOfStream(id)) return;
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const padded = (flags & PADDED) !== 0;
    if (padded && length === 0) {
      this.#violate(FRAME_SIZE_ERROR, 'a padded frame has no length of its padding');
      return;
    }
    const padding = padded ? (bytes[at + FRAME_HEAD_BYTES] as number) : 0;
    const overhead = padded ? padding + 1 : 0;
    if (overhead > length) {
      this.#violate(PROTOCOL_ERROR, 'the padding is longer than its frame');
      return;
    }
    this.#receiver.onData(id, length);
    if (this.#stopped) return;
    this.#dataId = id;
    this.#dataEnds = (flags & END_STREAM) !== 0;
    this.#content = length - overhead;
    this.#padding = padding;
    this.#dataPadding = overhead;
    this.#inData = true;
    if (this.#content === 0 && this.#padding === 0) this.#endData();
  }

  #readData(bytes: Buffer, at: number, length: number): number {
    const end = Math.min(length, at + this.#content);
    this.#content -= end - at;
    if (end > at) this.#receiver.onContent(this.#dataId, bytes, at, end);
    if (this.#stopped || this.#content > 0) return end;
    const skipped = Math.min(length - end, this.#padding);
    this.#padding -= skipped;
    if (this.#padding === 0) this.#endData();
    return end + skipped;
  }

  #endData(): void {
    this.#inData = false;
    this.#receiver.onDataOver(this.#dataId, this.#dataPadding, this.#dataEnds);
  }

  #headers(bytes: Buffer, start: number, end: number, flags: number, id: number): void {
    if (!this.#isOfStream(id)) return;
    let from = start;
    let to = end;
    let dependsOn = -1;
    if ((flags & PADDED) !== 0) {
      if (from === end) {
        this.#hasLength(false);
        return;
      }
      to -= bytes[from] as number;
      from += 1;
    }
    if ((flags & HAS_PRIORITY) !== 0) {
      if (from + PRIORITY_BYTES > end) {
        this.#hasLength(false);
        return;
      }
      dependsOn = uint31(bytes, from);
      from += PRIORITY_BYTES;
    }
    if (from > to) {
      this.#violate(PROTOCOL_ERROR, 'the padding is longer than its frame');
      return;
    }
    const ends = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) {
      this.#receiver.onHeaders(id, bytes, from, to, ends, dependsOn);
      return;
    }
    this.#section = [Buffer.from(bytes.subarray(from, to))];
    this.#sectionBytes = to - from;
    this.#sectionId = id;
    this.#sectionEnds = ends;
    this.#sectionDependsOn = dependsOn;
  }

  #continue(bytes: Buffer, start: number, end: number, flags: number): void {
    const section = this.#section;
    if (section === null) {
      this.#violate(PROTOCOL_ERROR, 'CONTINUATION came without a header section');
      return;
    }
    section.push(Buffer.from(bytes.subarray(start, end)));
    this.#sectionBytes += end - start;
    if (section.length > CONTINUATIONS_MAX + 1 || this.#sectionBytes > this.#sectionBytesMax) {
      this.#violate(ENHANCE_YOUR_CALM, 'there were too many CONTINUATION frames');
      return;
    }
    if ((flags & END_HEADERS) === 0) return;
    this.#section = null;
    const whole = Buffer.concat(section, this.#sectionBytes);
    this.#receiver.onHeaders(this.#sectionId, whole, 0, whole.length, this.#sectionEnds, this.#sectionDependsOn);
  }

  #settings(bytes: Buffer, start: number, end: number, flags: number): void {
    if ((flags & ACK) !== 0) {
      if (this.#hasLength(start === end)) this.#receiver.onSettingsAck();
      return;
    }
    if (!this.#hasLength((end - start) % SETTING_BYTES === 0)) return;
    this.#hasSettings = true;
    this.#receiver.onSettings(bytes, start, end);
  }

  #isOfStream(id: number): boolean {
    return id !== 0 || this.#violate(PROTOCOL_ERROR, 'a frame of a stream came without a stream') > 0;
  }

  #isOfConnection(id: number): boolean {
    return id === 0 || this.#violate(PROTOCOL_ERROR, 'a frame of the connection came on a stream') > 0;
  }

  #hasLength(valid: boolean): boolean {
    return valid || this.#violate(FRAME_SIZE_ERROR, 'a frame has a length that its type does not allow') > 0;
  }

  /** Returns -1. */
  #violate(code: number, reason: string): number {
    this.stop();
    this.#receiver.onViolation(code, reason);
    return -1;
  }
}
