import { constants } from 'node:http2';
import { ALLOWANCES } from './allowances.ts';
import { Budget } from './budget.ts';
import { RecentIds } from './recent-ids.ts';

/** Why a connection ends: the error code of its GOAWAY (RFC 9113 section 7) and, for people, what the client did. */
export interface Violation {
  readonly code: number;
  readonly reason: string;
}

/** Who wants to know what a client's frames say of its streams. */
export interface FrameWatcher {
  /** The client takes `increment` more bytes of stream `id`, or of all with 0. */
  onWindowUpdate(id: number, increment: number): void;
  /** The window of stream `id` grew past what it may be (RFC 9113 section 6.9.1). */
  onOverflow(id: number): void;
  /** The client has given stream `id` up. */
  onReset(id: number): void;
}

const PREFACE_BYTES = 24;
const HEAD_BYTES = 9;
const PING_BYTES = 8;
const WORD_BYTES = 4;
const SETTING_BYTES = 6;
/** The engine takes no more of them in one frame. */
const SETTINGS_BYTES_MAX = 32 * SETTING_BYTES;
const INITIAL_WINDOW_SIZE = 4;
const PRIORITY_BYTES = 5;
/** Of a window at the beginning, and at most (RFC 9113 section 6.9). */
const WINDOW_BYTES = 65535;
const WINDOW_MAX = 2 ** 31 - 1;
/** Smaller ones take too long to add up to an overflow to be worth a record. */
const LARGE_INCREMENT = 2 ** 24;

const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;

/** A kind of frame that no extension has. */
const UNKNOWN = 0xfe;

const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

/** How much a client gets for one more window update. */
const BYTES_PER_UPDATE = 64;
/** More frames for one header section than any section of a lawful size needs (CVE-2024-27316). */
const CONTINUATIONS_MAX = 8;
/** Streams that the client leaves half open, though they are answered or were refused. */
const OPEN_IDS_MAX = 4096;
const RECENT_IDS = 256;

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLOW_CONTROL_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_STREAM_CLOSED } =
  constants;

/**
 * Looks at the head of each frame that a client sends, before the HTTP/2 engine does: counts the cheap ones of which floods consist, and
 * finds frames for streams that the client itself has ended, which the engine passes over. What a frame holds is the engine's business.
 */
export class FrameGuard {
  /** What is wrong, once `scan` has found it. */
  violation: Violation | null = null;
  /** A header section has begun and not ended. */
  inHeaders = false;
  /** The last stream that the client began. */
  lastId = 0;
  readonly #watcher: FrameWatcher;
  readonly #sectionBytesMax: number;
  /** Bytes of the preface, or of a frame's payload, still to come. */
  #skip = PREFACE_BYTES;
  #tick = 0;
  /** The least that the client's window for the connection can be: all that was sent is taken for content. */
  #window = WINDOW_BYTES;
  #sent = 0;
  #initialWindow = WINDOW_BYTES;
  /** For streams of which the client opened the window very far: by how much, counted from `#sent` at that time. */
  readonly #largeWindows = new Map<number, number>();
  #sectionBytes = 0;
  #continuations = 0;
  /** Streams on which the client may still send. */
  readonly #open = new Set<number>();
  /** Streams that the client has ended. */
  readonly #ended = new RecentIds(RECENT_IDS);
  /** Streams that the server ended before the client did: what comes for them was on its way. */
  readonly #left = new RecentIds(RECENT_IDS);
  readonly #resets: Budget;
  readonly #pings: Budget;
  readonly #settings: Budget;
  readonly #priorities: Budget;
  readonly #windowUpdates: Budget;
  readonly #idleFrames: Budget;

  /** `sectionBytesMax` limits one header section as it is sent, compressed or not. */
  constructor(watcher: FrameWatcher, sectionBytesMax: number, tickMs: number) {
    this.#watcher = watcher;
    this.#sectionBytesMax = sectionBytesMax;
    this.#resets = new Budget(ALLOWANCES.resets, tickMs);
    this.#pings = new Budget(ALLOWANCES.pings, tickMs);
    this.#settings = new Budget(ALLOWANCES.settings, tickMs);
    this.#priorities = new Budget(ALLOWANCES.priorities, tickMs);
    this.#windowUpdates = new Budget(ALLOWANCES.windowUpdates, tickMs);
    this.#idleFrames = new Budget(ALLOWANCES.idleFrames, tickMs);
  }

  /** Whether the client may still send on stream `id`. */
  isOpen(id: number): boolean {
    return this.#open.has(id);
  }

  /** The server has ended stream `id`. */
  leave(id: number): void {
    if (this.#open.delete(id)) this.#left.add(id);
  }

  /** The client made the server reset a stream, which costs as much as resetting it (CVE-2025-8671). */
  countReset(tick: number): boolean {
    return this.#resets.take(tick) || this.#refuse(NGHTTP2_ENHANCE_YOUR_CALM, 'too many streams had to be reset');
  }

  /** `bytes` were sent. */
  countSent(bytes: number): void {
    this.#window -= bytes;
    this.#sent += bytes;
    this.#windowUpdates.earn(bytes / BYTES_PER_UPDATE);
  }

  /**
   * Looks at `bytes` that came at `tick`. Returns how many of them the engine may have: all, or those before the `violation`, or before a
   * frame's head that is not whole. Then the others are to come again, with what follows them. A frame that the engine would take amiss,
   * though the protocol allows it, becomes one of an unknown kind, which nobody minds.
   */
  scan(bytes: Uint8Array, tick: number): number {
    this.#tick = tick;
    let at = 0;
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at + HEAD_BYTES > bytes.length) return at;
      const payload = at + HEAD_BYTES;
      const length = (byte(bytes, at) << 16) | (byte(bytes, at + 1) << 8) | byte(bytes, at + 2);
      const kind = byte(bytes, at + 3);
      if (payload + Math.min(length, neededBytes(kind)) > bytes.length) return at;
      if (!this.#passes(bytes, at, kind, length)) return at;
      this.#skip = length;
      at = payload;
    }
  }

  /** Whether the frame at `at` may go on. */
  #passes(bytes: Uint8Array, at: number, kind: number, length: number): boolean {
    const flags = byte(bytes, at + 4);
    const id = uint31(bytes, at + 5);
    switch (kind) {
      case DATA:
        return this.#passesData(id, length, flags);
      case HEADERS:
        return this.#passesHeaders(id, length, flags);
      case CONTINUATION:
        return this.#passesContinuation(length, flags);
      case PRIORITY:
        return this.#passesPriority(id, length === PRIORITY_BYTES ? uint31(bytes, at + HEAD_BYTES) : -1);
      case RST_STREAM:
        this.#end(id);
        this.#watcher.onReset(id);
        return this.#resets.take(this.#tick) || this.#refuseFlood('RST_STREAM');
      case SETTINGS:
        this.#readSettings(bytes, at + HEAD_BYTES, Math.min(length, SETTINGS_BYTES_MAX));
        return this.#settings.take(this.#tick) || this.#refuseFlood('SETTINGS');
      case PING:
        // Nothing was asked, so this answers nothing: to be ignored (RFC 9113 section 6.7).
        if ((flags & ACK) !== 0 && id === 0 && length === PING_BYTES) bytes[at + 3] = UNKNOWN;
        return this.#pings.take(this.#tick) || this.#refuseFlood('PING');
      case WINDOW_UPDATE:
        return length !== WORD_BYTES || this.#passesUpdate(bytes, at, id, uint31(bytes, at + HEAD_BYTES));
      default:
        return this.#idleFrames.take(this.#tick) || this.#refuseFlood('unknown');
    }
  }

  #readSettings(bytes: Uint8Array, start: number, length: number): void {
    for (let at = start; at + SETTING_BYTES <= start + length; at += SETTING_BYTES) {
      const key = (byte(bytes, at) << 8) | byte(bytes, at + 1);
      if (key === INITIAL_WINDOW_SIZE) this.#initialWindow = uint31(bytes, at + 2);
    }
  }

  #passesPriority(id: number, dependsOn: number): boolean {
    if (id === 0) return this.#refuse(NGHTTP2_PROTOCOL_ERROR, 'PRIORITY came for no stream');
    if (id === dependsOn) return this.#refuse(NGHTTP2_PROTOCOL_ERROR, 'a stream depends on itself');
    return this.#priorities.take(this.#tick) || this.#refuseFlood('PRIORITY');
  }

  #passesUpdate(bytes: Uint8Array, at: number, id: number, increment: number): boolean {
    // Such an update makes the engine reset the stream.
    if (increment === 0) return this.countReset(this.#tick);
    if (id === 0) {
      this.#window += increment;
      if (this.#window > WINDOW_MAX) {
        return this.#refuse(NGHTTP2_FLOW_CONTROL_ERROR, 'the window of the connection grew too large');
      }
    } else if (increment >= LARGE_INCREMENT && this.#overflows(id, increment)) {
      // Some engines end the connection over it, but it is the stream's own error.
      bytes[at + 3] = UNKNOWN;
      this.#watcher.onOverflow(id);
      return this.countReset(this.#tick);
    }
    this.#watcher.onWindowUpdate(id, increment);
    return this.#windowUpdates.take(this.#tick) || this.#refuseFlood('WINDOW_UPDATE');
  }

  /** Whether the window of stream `id` is certainly too large now. */
  #overflows(id: number, increment: number): boolean {
    const before = this.#largeWindows.get(id) ?? this.#sent;
    if (this.#largeWindows.size > RECENT_IDS) this.#largeWindows.clear();
    this.#largeWindows.set(id, before + increment);
    return this.#initialWindow + before + increment - this.#sent > WINDOW_MAX;
  }

  #passesData(id: number, length: number, flags: number): boolean {
    if (!this.#open.has(id)) {
      return !this.#ended.has(id) || this.#refuse(NGHTTP2_STREAM_CLOSED, 'DATA came for a stream that was ended');
    }
    if ((flags & END_STREAM) !== 0) this.#end(id);
    else if (length === 0) return this.#idleFrames.take(this.#tick) || this.#refuseFlood('empty DATA');
    return true;
  }

  #passesHeaders(id: number, length: number, flags: number): boolean {
    this.#sectionBytes = length;
    this.#continuations = 0;
    this.inHeaders = (flags & END_HEADERS) === 0;
    if (id > this.lastId) {
      this.lastId = id;
      if ((flags & END_STREAM) !== 0) this.#ended.add(id);
      else if (this.#open.size < OPEN_IDS_MAX) this.#open.add(id);
      else return this.#refuse(NGHTTP2_ENHANCE_YOUR_CALM, 'too many streams were begun and never ended');
      return true;
    }
    if (this.#open.has(id)) {
      if ((flags & END_STREAM) !== 0) this.#end(id);
      return true;
    }
    if (this.#ended.has(id)) return this.#refuse(NGHTTP2_STREAM_CLOSED, 'HEADERS came for a stream that was ended');
    return this.#left.has(id) || id === 0 || this.#refuse(NGHTTP2_PROTOCOL_ERROR, 'a stream was begun out of order');
  }

  #passesContinuation(length: number, flags: number): boolean {
    this.#sectionBytes += length;
    this.#continuations += 1;
    if ((flags & END_HEADERS) !== 0) this.inHeaders = false;
    if (this.#continuations > CONTINUATIONS_MAX || this.#sectionBytes > this.#sectionBytesMax) {
      return this.#refuseFlood('CONTINUATION');
    }
    return true;
  }

  #end(id: number): void {
    if (this.#open.delete(id)) this.#ended.add(id);
  }

  #refuseFlood(kind: string): boolean {
    return this.#refuse(NGHTTP2_ENHANCE_YOUR_CALM, `there were too many ${kind} frames`);
  }

  #refuse(code: number, reason: string): boolean {
    this.violation = { code, reason };
    return false;
  }
}

/** How much of a frame's payload is looked at. */
function neededBytes(kind: number): number {
  if (kind === WINDOW_UPDATE || kind === PRIORITY) return WORD_BYTES;
  return kind === SETTINGS ? SETTINGS_BYTES_MAX : 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function uint31(bytes: Uint8Array, at: number): number {
  return (
    ((byte(bytes, at) & 0x7f) << 24) | (byte(bytes, at + 1) << 16) | (byte(bytes, at + 2) << 8) | byte(bytes, at + 3)
  );
}
