import { contentMemory } from '../buffering/content-memory.ts';
import type { Peer } from '../message.ts';
import type { OpenRequest } from '../transport/protocol-server.ts';
import { EarlyPriorities } from './early-priorities.ts';
import { FloodCounters } from './flood-counters.ts';
import { FrameReader, type FrameReceiver } from './frame-reader.ts';
import {
  COMPRESSION_ERROR,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
  WINDOW_BYTES_MAX,
} from './frames.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import type { HeaderField } from './hpack/header-field.ts';
import type { Http2Context } from './http2-context.ts';
import { PeerSettings } from './peer-settings.ts';
import { type Priority, parsePriority } from './priority.ts';
import { ReceiveWindow } from './receive-window.ts';
import { CONNECTION_FIELDS, type RequestSection } from './request-section.ts';
import { SectionMemory } from './section-memory.ts';
import { SessionOutput } from './session-output.ts';
import { Stream, type StreamOwner } from './stream.ts';
import { StreamIds } from './stream-ids.ts';

/** The connection as its session sees it. */
export interface SessionOwner {
  /** There may be something to send. */
  onWriting(): void;
  /** The first stream has started, or the last one is over. */
  onBusyChanged(): void;
  onSettingsAcknowledged(): void;
  /** A PING of this server was answered. `bytes` has its content from `start` on. */
  onPingAnswered(bytes: Buffer, start: number): void;
  /** The client did something wrong. The connection goes on. */
  onFault(reason: string): void;
  /** The client violated the protocol: the connection ends with this code (RFC 9113 section 5.4.1). */
  onViolation(code: number, reason: string): void;
}

const ENDED = 'a frame came for a stream that was ended';
const SHORT_CONTENT = 'the content is shorter than its Content-Length';
const LENGTH = 'a frame has a length that its type does not allow';
/** How many responses a connection may wait for at a time while `contentMemory` has no room. */
const CROWD = 8;

/**
 * The protocol of one connection without its socket (RFC 9113): takes the bytes of a client, starts streams, and leaves the frames for the
 * client in `output`.
 */
export class Session implements FrameReceiver, StreamOwner {
  readonly context: Http2Context;
  readonly peer: Peer;
  readonly output: SessionOutput;
  readonly reader: FrameReader;
  /** Whether new streams are refused. */
  isLast = false;
  openedAtMs = 0;
  headAtMs = 0;
  readonly #owner: SessionOwner;
  readonly #decoder = new HpackDecoder();
  readonly #settings = new PeerSettings();
  readonly #floods: FloodCounters;
  readonly #receiveWindow: ReceiveWindow;
  readonly #streams = new Map<number, Stream>();
  /** Streams whose end has not been sent: to the client they are open. */
  #unsentEnds = 0;
  readonly #ids = new StreamIds();
  readonly #earlyPriorities: EarlyPriorities;
  #sections: SectionMemory | null = null;
  /** Streams that were answered although the client still sends. */
  #unread: Set<number> | null = null;
  /** Streams whose requests start when there is room for their responses. */
  #waiting: Set<Stream> | null = null;
  #starting = false;
  /** The stream to which the present DATA frame belongs, null if nobody wants it. */
  #dataStream: Stream | null = null;
  #dataBytes = 0;
  /** Those of its bytes that its stream has not received: content still to come, and padding. */
  #dataLeft = 0;

  constructor(context: Http2Context, peer: Peer, owner: SessionOwner) {
    this.context = context;
    this.peer = peer;
    this.#owner = owner;
    this.output = new SessionOutput(() => owner.onWriting());
    this.reader = new FrameReader(this, context.sectionBytesMax, true);
    this.#earlyPriorities = new EarlyPriorities(context.limits.http2StreamsMax);
    this.#floods = new FloodCounters(context.limits, context.tickMs);
    this.#receiveWindow = new ReceiveWindow(this.output.writer, context.windowBytes);
  }

  /** The last stream that the client started. */
  get lastId(): number {
    return this.#ids.last;
  }

  /** Whether a stream is at work, or its client has to learn that nobody reads its content. */
  get isBusy(): boolean {
    return this.#streams.size > 0 || this.#unread !== null;
  }

  /** Writes the first frames. */
  start(): void {
    this.output.writer.settings(this.context.settings);
    this.#receiveWindow.open();
  }

  // FrameReceiver: what the client's frames say.

  onHeaders(id: number, bytes: Buffer, start: number, end: number, endsStream: boolean, dependsOn: number): void {
    const section = this.#sections?.find(this.#decoder, bytes, start, end);
    if (section !== undefined && id > this.#ids.last) this.#open(id, section, endsStream, dependsOn);
    else this.#readHeaders(id, bytes, start, end, endsStream, dependsOn);
  }

  #readHeaders(id: number, bytes: Buffer, start: number, end: number, endsStream: boolean, dependsOn: number): void {
    const { fields, listBytesMax, fieldsMax, sectionReader } = this.context;
    const decoder = this.#decoder;
    const { generation } = decoder;
    fields.length = 0;
    const error = decoder.decode(bytes, start, end, fields, listBytesMax, fieldsMax);
    if (error !== null) this.onViolation(COMPRESSION_ERROR, error);
    else if (id > this.#ids.last) {
      const section = sectionReader.read(fields, decoder.exceeded);
      this.#sections ??= new SectionMemory();
      this.#sections.keep(decoder, generation, bytes, start, end, section);
      this.#open(id, section, endsStream, dependsOn);
    } else this.#readTrailers(id, endsStream);
  }

  /** The client starts a stream. */
  #open(id: number, section: RequestSection, endsStream: boolean, dependsOn: number): void {
    if (id % 2 === 0) this.onViolation(PROTOCOL_ERROR, 'a client started a stream with an even number');
    else if (dependsOn === id) this.onViolation(PROTOCOL_ERROR, 'a stream depends on itself');
    else {
      this.#ids.start(id);
      const priority = this.#earlyPriorities.take(id);
      if (this.isLast || this.#streams.size + this.#unsentEnds >= this.context.limits.http2StreamsMax)
        this.#refuse(id, endsStream, REFUSED_STREAM);
      else if (section.malformed !== '' || (endsStream && section.contentLength > 0)) {
        this.#owner.onFault(section.malformed || SHORT_CONTENT);
        this.#refuse(id, endsStream, PROTOCOL_ERROR);
      } else {
        const waits = this.#isCrowded;
        const stream = new Stream(id, section, endsStream, this.#settings.windowBytes, this);
        if (priority !== undefined) stream.priority = priority;
        this.#streams.set(id, stream);
        if (this.#streams.size === 1) this.#owner.onBusyChanged();
        stream.start(section, waits);
        if (stream.isWaiting) {
          this.#waiting ??= new Set();
          this.#waiting.add(stream);
        }
      }
    }
  }

  /**
   * Whether the memory for content is used up, and this connection has its share of it. A response that is whole in memory can wait nowhere
   * else, so its request has to wait.
   */
  get #isCrowded(): boolean {
    if (contentMemory.hasRoom(0)) return false;
    let others = 0;
    for (const stream of this.#streams.values()) {
      if (stream.needsMemory) others += 1;
      if (others === CROWD) return true;
    }
    return false;
  }

  /** Starts requests that wait, as far as there is room. */
  #startWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === null || this.#starting) return;
    this.#starting = true;
    for (const stream of waiting) {
      if (this.#isCrowded) break;
      waiting.delete(stream);
      stream.handleWaiting();
    }
    this.#starting = false;
    if (waiting.size === 0) this.#waiting = null;
  }

  /**
   * Starts the request of `stream`, which waits, if the content of all that wait takes more than half of the connection's window. The rest is
   * for the requests at work: without it they would wait for their content as long as the others wait for them.
   */
  #limitWaitingContent(stream: Stream): void {
    const waiting = this.#waiting as Set<Stream>;
    let bytes = 0;
    for (const { received } of waiting) bytes += received;
    if (2 * bytes <= this.context.windowBytes) return;
    waiting.delete(stream);
    stream.handleWaiting();
  }

  #refuse(id: number, endsStream: boolean, code: number): void {
    if (!endsStream) this.#ids.endByServer(id);
    this.output.reset(id, code);
    this.#countReset();
  }

  #readTrailers(id: number, endsStream: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#ids.wasEndedByServer(id)) {
        this.#unread?.delete(id);
        return;
      }
      if (this.#ids.isIdle(id) || this.#ids.wasSkipped(id))
        this.onViolation(PROTOCOL_ERROR, 'a stream was started out of order');
      else this.onViolation(STREAM_CLOSED, ENDED);
      return;
    }
    if (stream.clientEnded) {
      this.onViolation(STREAM_CLOSED, ENDED);
      return;
    }
    if (stream.isAbandoned) return;
    const { fields } = this.context;
    const isMalformed = fields.some(isNoTrailer);
    if (isMalformed || !endsStream) {
      const reason = endsStream ? 'a trailer field is malformed' : 'the trailers do not end their stream';
      this.#failStream(stream, PROTOCOL_ERROR, reason);
      return;
    }
    stream.readTrailers(
      fields.flatMap(({ name, value }) => [name, value]),
      this.#decoder.exceeded,
    );
    this.#endContent(stream);
  }

  onData(id: number, length: number): void {
    this.#dataBytes = length;
    this.#dataLeft = length;
    this.#dataStream = null;
    const stream = this.#streams.get(id);
    if (!this.#receiveWindow.take(length)) {
      this.onViolation(FLOW_CONTROL_ERROR, 'the client sent more than the window of the connection allows');
    } else if (stream === undefined) this.#dropData(id, length);
    else if (stream.clientEnded) this.onViolation(STREAM_CLOSED, ENDED);
    else if (stream.isAbandoned) this.credit(length);
    else if (stream.takeFromWindow(length)) this.#dataStream = stream;
    else {
      this.credit(length);
      this.#failStream(stream, FLOW_CONTROL_ERROR, 'the client sent more than the window of a stream allows');
    }
  }

  #dropData(id: number, length: number): void {
    if (this.#ids.isIdle(id)) this.onViolation(PROTOCOL_ERROR, 'DATA came for a stream that was not started');
    else if (this.#ids.wasEndedByServer(id)) this.credit(length);
    else this.onViolation(STREAM_CLOSED, ENDED);
  }

  onContent(_id: number, bytes: Buffer, start: number, end: number): void {
    const stream = this.#dataStream;
    if (stream === null) return;
    this.#dataLeft -= end - start;
    if (stream.receive(bytes, start, end)) {
      if (this.#waiting?.has(stream)) this.#limitWaitingContent(stream);
      return;
    }
    this.#dataStream = null;
    this.credit(this.#dataLeft + end - start);
    this.#failStream(stream, PROTOCOL_ERROR, 'the content is longer than its Content-Length');
  }

  onDataOver(id: number, padding: number, endsStream: boolean): void {
    if (this.#dataBytes === padding && !endsStream && !this.#floods.idleFrame(this.context.tick)) {
      this.#failFlood('empty DATA');
    }
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream === null) {
      if (endsStream) this.#unread?.delete(id);
      return;
    }
    if (padding > 0) stream.skipPadding(padding);
    if (endsStream) this.#endContent(stream);
  }

  #endContent(stream: Stream): void {
    if (stream.endContent()) return;
    this.#failStream(stream, PROTOCOL_ERROR, SHORT_CONTENT);
  }

  onPriority(id: number, dependsOn: number, isValid: boolean): void {
    const stream = this.#streams.get(id);
    if (!isValid && stream === undefined) this.onViolation(FRAME_SIZE_ERROR, LENGTH);
    else if (!isValid && stream !== undefined) this.#failStream(stream, FRAME_SIZE_ERROR, LENGTH);
    else if (id === dependsOn) this.onViolation(PROTOCOL_ERROR, 'a stream depends on itself');
    else if (!this.#floods.priority(this.context.tick)) this.#failFlood('PRIORITY');
  }

  onPriorityUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (id % 2 === 0) this.onViolation(PROTOCOL_ERROR, 'PRIORITY_UPDATE is not for a stream of a client');
    else if (!this.#floods.priority(this.context.tick)) this.#failFlood('PRIORITY_UPDATE');
    else this.#prioritize(id, parsePriority(bytes.toString('latin1', start, end)));
  }

  #prioritize(id: number, priority: Priority): void {
    if (id <= this.#ids.last) this.#streams.get(id)?.prioritize(priority);
    else if (!this.#earlyPriorities.set(id, priority)) {
      this.onViolation(PROTOCOL_ERROR, 'there were priorities for too many streams that were not started');
    }
  }

  onReset(id: number): void {
    if (this.#ids.isIdle(id)) this.onViolation(PROTOCOL_ERROR, 'a stream was given up before it was started');
    else if (!this.#floods.reset(this.context.tick)) this.#failFlood('RST_STREAM');
    else {
      this.#unread?.delete(id);
      this.#streams.get(id)?.leave();
    }
  }

  onSettings(bytes: Buffer, start: number, end: number): void {
    const settings = this.#settings;
    const before = settings.windowBytes;
    const violation = settings.read(bytes, start, end);
    if (violation !== null) this.onViolation(violation.code, violation.reason);
    else if (!this.#floods.settings(this.context.tick)) this.#failFlood('SETTINGS');
    else {
      this.output.writer.settingsAck();
      for (const bytes of settings.tableSizes) this.output.setTableBytesMax(bytes);
      if (settings.windowBytes !== before) this.#resizeWindows(settings.windowBytes - before);
    }
  }

  /** The first size of all windows changed (RFC 9113 section 6.9.2). */
  #resizeWindows(change: number): void {
    for (const stream of this.#streams.values()) {
      if (stream.openWindow(change) <= WINDOW_BYTES_MAX) continue;
      this.onViolation(FLOW_CONTROL_ERROR, 'a window grew too large');
      return;
    }
  }

  onSettingsAck(): void {
    this.#owner.onSettingsAcknowledged();
  }

  onPing(bytes: Buffer, start: number, isAck: boolean): void {
    if (!this.#floods.ping(this.context.tick)) this.#failFlood('PING');
    else if (isAck) this.#owner.onPingAnswered(bytes, start);
    else this.output.writer.ping(bytes, start, true);
  }

  /** The client starts no more streams. Nothing changes: it closes when it has its responses. */
  onGoaway(): void {}

  onWindowUpdate(id: number, increment: number): void {
    const { queue } = this.output;
    if (id > 0 && this.#ids.isIdle(id))
      this.onViolation(PROTOCOL_ERROR, 'WINDOW_UPDATE came for a stream that was not started');
    else if (!this.#floods.windowUpdate(this.context.tick)) this.#failFlood('WINDOW_UPDATE');
    else if (id !== 0) this.#openWindow(id, increment);
    else if (increment === 0) this.onViolation(PROTOCOL_ERROR, 'WINDOW_UPDATE had an increment of 0');
    else {
      queue.window += increment;
      if (queue.window > WINDOW_BYTES_MAX) this.onViolation(FLOW_CONTROL_ERROR, 'the window grew too large');
    }
  }

  #openWindow(id: number, increment: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isAbandoned) return;
    if (increment === 0) this.#failStream(stream, PROTOCOL_ERROR, 'WINDOW_UPDATE had an increment of 0');
    else if (stream.openWindow(increment) > WINDOW_BYTES_MAX) {
      this.#failStream(stream, FLOW_CONTROL_ERROR, 'a window grew too large');
    }
  }

  onUnknown(): void {
    if (!this.#floods.idleFrame(this.context.tick)) this.#failFlood('unknown');
  }

  /** Also called by this class itself. */
  onViolation(code: number, reason: string): void {
    this.#owner.onViolation(code, reason);
  }

  /** The requests that are not answered completely. */
  *requests(): Iterable<OpenRequest> {
    for (const { openRequest } of this.#streams.values()) if (openRequest !== null) yield openRequest;
  }

  // StreamOwner: calls of the streams.

  /** `bytes` of content were passed on or dropped: the client may send as many again on the connection. */
  credit(bytes: number): void {
    if (this.#receiveWindow.credit(bytes)) this.#owner.onWriting();
  }

  onStreamOver(stream: Stream): void {
    const { id } = stream;
    this.#streams.delete(id);
    this.#waiting?.delete(stream);
    this.#unsentEnds += 1;
    if (!stream.clientEnded) {
      this.#ids.endByServer(id);
      if (!stream.wasReset) this.#leaveUnread(id);
    }
    if (!this.isBusy) this.#owner.onBusyChanged();
    this.#startWaiting();
  }

  /**
   * The server does not need what the client still sends on stream `id` (RFC 9113 section 8.1). The client learns of that a little later: curl
   * 7.88 loses the response when the reset comes together with it. Meanwhile the stream's window limits what the client sends.
   */
  #leaveUnread(id: number): void {
    this.#unread ??= new Set();
    this.#unread.add(id);
    if (this.#unread.size > this.context.limits.http2StreamsMax) this.#resetUnread();
  }

  #resetUnread(): void {
    for (const id of this.#unread ?? []) this.output.reset(id, NO_ERROR);
    this.#unread = null;
    if (!this.isBusy) this.#owner.onBusyChanged();
  }

  // Calls of the connection.

  /** Everything left, which were `bytes`. */
  countSent(bytes: number): void {
    this.#unsentEnds = 0;
    this.#floods.countSent(bytes);
  }

  /** The client takes nothing more. */
  leave(): void {
    this.#waiting = null;
    for (const stream of this.#streams.values()) stream.leave();
  }

  /** Called once a tick. */
  sweep(): void {
    if (this.#unread !== null) this.#resetUnread();
    this.#startWaiting();
    for (const stream of this.#streams.values()) stream.sweep();
  }

  /** No stream has been at work for a tick: frees what only makes later streams faster. */
  rest(): void {
    this.#sections = null;
    this.output.rest();
  }

  /** Ends one stream because of the client (RFC 9113 section 5.4.2). */
  #failStream(stream: Stream, code: number, reason: string): void {
    this.#owner.onFault(reason);
    stream.reset(code);
    this.#countReset();
  }

  /** The client made the server reset a stream. This costs as much as a reset by the client (CVE-2025-8671), so it counts as one. */
  #countReset(): void {
    if (this.#floods.reset(this.context.tick)) return;
    this.onViolation(ENHANCE_YOUR_CALM, 'too many streams had to be reset');
  }

  #failFlood(kind: string): void {
    this.onViolation(ENHANCE_YOUR_CALM, `there were too many ${kind} frames`);
  }
}

/** Whether a field must not be in a trailer section (RFC 9113 sections 8.1 and 8.2). */
function isNoTrailer({ name, fault }: HeaderField): boolean {
  return fault !== '' || name.startsWith(':') || CONNECTION_FIELDS.has(name);
}
