import { FloodCounters } from '../../http/http2/flood-counters.ts';
import type { FrameReceiver } from '../../http/http2/frame-reader.ts';
import {
  COMPRESSION_ERROR,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  PROTOCOL_ERROR,
  WINDOW_BYTES_MAX,
} from '../../http/http2/frames.ts';
import { HpackDecoder } from '../../http/http2/hpack/decoder.ts';
import type { HeaderField } from '../../http/http2/hpack/header-field.ts';
import { PeerSettings } from '../../http/http2/peer-settings.ts';
import { ReceiveWindow } from '../../http/http2/receive-window.ts';
import type { SessionOutput } from '../../http/http2/session-output.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import type { ClientStream } from './client-stream.ts';
import type { ConnectionContext } from './connection-context.ts';

/** The connection as the reader of its frames sees it. */
export interface FramesOwner {
  readonly streams: ReadonlyMap<number, ClientStream>;
  readonly output: SessionOutput;
  /** The last stream that was started; -1 before the first one. */
  readonly lastId: number;
  /** The backend's settings are known, or have changed. */
  onSettings(): void;
  /** The backend ends the connection. It has not processed and will not process the streams above `lastId` (RFC 9113 section 6.8). */
  onGoaway(lastId: number, code: number): void;
  /** The backend violated the protocol, so the connection ends with this code. */
  onViolation(code: number, reason: string): void;
}

/**
 * Content that a backend may send ahead on all streams. It counts only until it arrives, so a client that takes nothing
 * holds up no other one: each stream has a window of its own.
 */
const WINDOW_BYTES = 1024 * 1024;

/** The fields of the section that is being read. */
const sharedFields: HeaderField[] = [];

/** What the frames of a backend mean for its connection and its streams. */
export class ClientFrames implements FrameReceiver {
  readonly settings = new PeerSettings();
  readonly #context: ConnectionContext;
  readonly #owner: FramesOwner;
  readonly #output: SessionOutput;
  readonly #streams: ReadonlyMap<number, ClientStream>;
  readonly #decoder = new HpackDecoder();
  readonly #floods: FloodCounters;
  readonly #receiveWindow: ReceiveWindow;
  /** The stream to which the present DATA frame belongs; null if nobody wants it. */
  #dataStream: ClientStream | null = null;
  #dataBytes = 0;

  constructor(context: ConnectionContext, owner: FramesOwner) {
    this.#context = context;
    this.#owner = owner;
    this.#output = owner.output;
    this.#streams = owner.streams;
    this.#floods = new FloodCounters(DEFAULT_LIMITS, context.clock.tickMs);
    this.#receiveWindow = new ReceiveWindow(owner.output.writer, WINDOW_BYTES);
  }

  /** Gives the window of all streams its size. */
  openWindow(): void {
    this.#receiveWindow.open();
  }

  /** `bytes` were sent to the backend, which may measure the way with PING for them, as gRPC does. */
  countSent(bytes: number): void {
    this.#floods.countSent(bytes);
  }

  onHeaders(id: number, bytes: Buffer, start: number, end: number, endsStream: boolean): void {
    const { listBytesMax, fieldsMax } = this.#context;
    const decoder = this.#decoder;
    sharedFields.length = 0;
    const error = decoder.decode(bytes, start, end, sharedFields, listBytesMax, fieldsMax);
    if (error !== null) this.#owner.onViolation(COMPRESSION_ERROR, error);
    else if (this.#wasStarted(id)) this.#streams.get(id)?.readHeaders(sharedFields, decoder.exceeded, endsStream);
  }

  onData(id: number, length: number): void {
    this.#dataBytes = length;
    this.#dataStream = null;
    if (!this.#receiveWindow.take(length)) {
      this.#owner.onViolation(FLOW_CONTROL_ERROR, 'the content is larger than the window of the connection');
      return;
    }
    this.#receiveWindow.credit(length);
    if (!this.#wasStarted(id)) return;
    this.#dataStream = this.#streams.get(id) ?? null;
    this.#dataStream?.startData(length);
  }

  onContent(_id: number, bytes: Buffer, start: number, end: number): void {
    this.#dataStream?.receive(bytes, start, end);
  }

  onDataOver(_id: number, padding: number, endsStream: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (this.#dataBytes === padding && !endsStream && !this.#floods.idleFrame(this.#context.clock.tick)) {
      this.#failFlood('empty DATA');
    } else if (endsStream) stream?.endContent();
    else if (padding > 0) stream?.creditPadding(padding);
  }

  /** Priorities are for servers. */
  onPriority(): void {
    this.onUnknown();
  }

  onPriorityUpdate(): void {
    this.#owner.onViolation(PROTOCOL_ERROR, 'a server sent PRIORITY_UPDATE');
  }

  onReset(id: number, code: number): void {
    if (this.#wasStarted(id)) this.#streams.get(id)?.onReset(code);
  }

  onSettings(bytes: Buffer, start: number, end: number): void {
    const { settings } = this;
    const before = settings.windowBytes;
    const violation = settings.read(bytes, start, end);
    if (settings.enablesPush) this.#owner.onViolation(PROTOCOL_ERROR, 'a server enabled server push');
    else if (violation !== null) this.#owner.onViolation(violation.code, violation.reason);
    else if (!this.#floods.settings(this.#context.clock.tick)) this.#failFlood('SETTINGS');
    else {
      this.#output.writer.settingsAck();
      for (const bytes of settings.tableSizes) this.#output.setTableBytesMax(bytes);
      for (const stream of this.#streams.values()) {
        if (stream.openWindow(settings.windowBytes - before) > WINDOW_BYTES_MAX) this.#failWindow();
      }
      this.#owner.onSettings();
    }
  }

  onSettingsAck(): void {}

  onPing(bytes: Buffer, start: number, isAck: boolean): void {
    if (!this.#floods.ping(this.#context.clock.tick)) this.#failFlood('PING');
    else if (!isAck) this.#output.writer.ping(bytes, start, true);
  }

  onGoaway(lastId: number, code: number): void {
    this.#owner.onGoaway(lastId, code);
  }

  onWindowUpdate(id: number, increment: number): void {
    if (increment === 0) this.#owner.onViolation(PROTOCOL_ERROR, 'WINDOW_UPDATE had an increment of 0');
    else if (id === 0) {
      const { queue } = this.#output;
      queue.window += increment;
      if (queue.window > WINDOW_BYTES_MAX) this.#failWindow();
    } else if (this.#wasStarted(id)) {
      const stream = this.#streams.get(id);
      if (stream !== undefined && stream.openWindow(increment) > WINDOW_BYTES_MAX) this.#failWindow();
    }
  }

  onUnknown(): void {
    if (!this.#floods.idleFrame(this.#context.clock.tick)) this.#failFlood('unknown');
  }

  onViolation(code: number, reason: string): void {
    this.#owner.onViolation(code, reason);
  }

  /** Frames for a stream that is over may still arrive. Those for a stream that was not started end the connection. */
  #wasStarted(id: number): boolean {
    if (id % 2 === 1 && id <= this.#owner.lastId) return true;
    this.#owner.onViolation(PROTOCOL_ERROR, 'a frame came for a stream that was not started');
    return false;
  }

  #failFlood(kind: string): void {
    this.#owner.onViolation(ENHANCE_YOUR_CALM, `there were too many ${kind} frames`);
  }

  #failWindow(): void {
    this.#owner.onViolation(FLOW_CONTROL_ERROR, 'a window grew too large');
  }
}
