import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FrameReader } from '../../http/http2/frame-reader.ts';
import { ENABLE_PUSH, MAX_HEADER_LIST_SIZE, NO_ERROR, PREFACE, STREAM_ID_MAX } from '../../http/http2/frames.ts';
import { fieldSize } from '../../http/http2/hpack/header-field.ts';
import type { OutgoingField } from '../../http/http2/hpack/outgoing-field.ts';
import { SessionOutput } from '../../http/http2/session-output.ts';
import type { Request } from '../../http/message.ts';
import { describeFailure } from '../failure.ts';
import { openSocket } from '../open-socket.ts';
import { NEVER, type Watched } from '../tick-clock.ts';
import { ClientFrames, type FramesOwner } from './client-frames.ts';
import { ClientStream, type StreamOwner } from './client-stream.ts';
import type { ConnectionContext } from './connection-context.ts';
import { errorName } from './error-name.ts';
import { FrameFlusher } from './frame-flusher.ts';
import type { ResponseSectionReader } from './response-section.ts';
import type { StreamUser } from './stream-user.ts';

/** A request that waits for a connection. */
export interface ConnectionUser {
  /** Whether the request may be sent again if the backend closes the connection at this moment. */
  readonly isRepeatable: boolean;
  connected(connection: ClientConnection): void;
  connectFailed(reason: string, status: 502 | 504): void;
}

/** The pool as its connections see it. */
export interface ConnectionOwner {
  /** The backend's settings are known: streams can be started. */
  onReady(connection: ClientConnection): void;
  /** The last stream is over. */
  onIdle(connection: ClientConnection): void;
  onClosed(connection: ClientConnection): void;
}

/**
 * What a connection does at present:
 * - `connecting`: waits for the socket, the TLS handshake and the backend's settings
 * - `open`: takes requests
 * - `last`: finishes the streams that it has
 * - `closed`: does nothing any more
 */
type State = 'connecting' | 'open' | 'last' | 'closed';

const UNPROCESSED = 'the backend ended the connection before it processed the request';
/** How long a backend may take to read the last frame. */
const LINGER_MS = 1000;
const BUFFER_BYTES = 65536;

/** All plain connections read into this shared buffer. */
const sharedBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/** One connection to a backend (RFC 9113), with any number of requests in progress. */
export class ClientConnection implements FramesOwner, StreamOwner, Watched {
  readonly waiting = new Set<ConnectionUser>();
  readonly sectionReader: ResponseSectionReader;
  /** Number of completed responses. */
  served = 0;
  /** The tick at which the connection last became idle. */
  idleSince = 0;
  readonly output = new SessionOutput(() => this.#flusher.schedule());
  readonly #flusher = new FrameFlusher(this.output, (bytes) => this.#frames.countSent(bytes));
  readonly #context: ConnectionContext;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #frames: ClientFrames;
  readonly streams = new Map<number, ClientStream>();
  /** Streams whose response has started in the present read. */
  #heads: ClientStream[] = [];
  #state: State = 'connecting';
  #nextId = 1;
  #deadline = NEVER;
  #lastReceived = 0;
  /** Why the backend ended the connection, from its GOAWAY; '' without an error. */
  #goodbye = '';
  #failure: Error | null = null;

  constructor(context: ConnectionContext, owner: ConnectionOwner) {
    const { backend, clock } = context;
    this.#context = context;
    this.#owner = owner;
    this.sectionReader = context.sectionReader;
    this.#frames = new ClientFrames(context, this);
    this.#reader = new FrameReader(this.#frames, context.sectionBytesMax, false);
    this.#socket = openSocket(
      backend,
      () => sharedBuffer,
      (bytes, length) => this.#receive(bytes, length),
      () => this.#connected(),
    );
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('error', (error) => {
      this.#failure = error;
    });
    this.#socket.on('close', () => this.#closed());
    clock.watch(this);
  }

  /** Number of requests in progress. */
  get active(): number {
    return this.streams.size;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get lastId(): number {
    return this.#nextId - 2;
  }

  /** How many requests the backend accepts at the same time. */
  get streamsMax(): number {
    return this.#frames.settings.streamsMax;
  }

  /** Whether one more request can be sent, or can wait. A backend without settings yet is assumed to accept `streamsMax`. */
  hasRoom(streamsMax: number): boolean {
    if (this.#state === 'connecting') return this.waiting.size < streamsMax;
    return (
      this.#state === 'open' && this.streams.size < this.#frames.settings.streamsMax && this.#nextId < STREAM_ID_MAX
    );
  }

  /** Sets the deadline, for the settings or of an idle connection, to `ticks` from now. */
  setDeadline(ticks: number): void {
    this.#deadline = this.#context.clock.tick + ticks;
  }

  /** Whether the backend accepts a header section of this size (RFC 9113 section 6.5.2). */
  accepts(fields: readonly OutgoingField[]): boolean {
    const { listBytesMax } = this.#frames.settings;
    if (listBytesMax === Number.POSITIVE_INFINITY) return true;
    return fields.reduce((sum, { name, value }) => sum + fieldSize(name, value), 0) <= listBytesMax;
  }

  /** Starts a stream with the head of `request`. Allowed only while the connection has room. */
  open(request: Request, fields: readonly OutgoingField[], user: StreamUser): ClientStream {
    const id = this.#nextId;
    const origin = {
      sendWindow: this.#frames.settings.windowBytes,
      isOnKept: this.served > 0,
      startedAt: this.#context.clock.tick,
    };
    const stream = new ClientStream(id, request, origin, this, user);
    this.#nextId += 2;
    this.streams.set(id, stream);
    this.#deadline = NEVER;
    this.output.section(id, fields, request.body === null);
    return stream;
  }

  /** Closes the connection when its last stream is over. No further one is started. */
  finish(): void {
    if (this.#state === 'open') this.#state = 'last';
    if (this.#state === 'last' && this.streams.size === 0) this.#end(NO_ERROR);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sweep(): void {
    const { tick } = this.#context.clock;
    if (tick >= this.#deadline) {
      this.#deadline = NEVER;
      if (this.#state === 'connecting') this.#failConnect('the connection timed out', 504);
      else if (this.#state === 'closed') this.destroy();
      else this.finish();
    }
    for (const stream of this.streams.values()) {
      if (tick < stream.deadline) continue;
      // Without any byte since then, the backend may be gone. Other requests take another connection.
      if (stream.startedAt >= this.#lastReceived && this.#state === 'open') this.#state = 'last';
      stream.deadline = NEVER;
      stream.user.timedOut();
    }
  }

  // Calls of the socket.

  #connected(): void {
    const socket = this.#socket;
    if (this.#context.backend.tls !== undefined && (socket as TLSSocket).alpnProtocol !== 'h2') {
      this.#failConnect('it does not offer HTTP/2 in the TLS handshake (ALPN)', 502);
      return;
    }
    socket.write(PREFACE);
    this.#flusher.open(socket);
    this.output.writer.settings([
      [ENABLE_PUSH, 0],
      [MAX_HEADER_LIST_SIZE, this.#context.listBytesMax],
    ]);
    this.#frames.openWindow();
    this.#flusher.flush();
  }

  #receive(bytes: Buffer, length: number): void {
    if (this.#state === 'closed') return;
    this.#lastReceived = this.#context.clock.tick;
    this.#flusher.hold();
    this.#reader.receive(bytes, length);
    const heads = this.#heads;
    if (heads.length > 0) {
      this.#heads = [];
      for (const stream of heads) stream.deliver();
    }
    this.#flusher.flush();
  }

  #closed(): void {
    const wasConnecting = this.#state === 'connecting';
    this.#state = 'closed';
    this.#context.clock.forget(this);
    this.#owner.onClosed(this);
    if (wasConnecting) this.#tellWaiting(describeFailure(this.#failure), 502);
    for (const stream of this.#takeStreams()) stream.onClosed(this.#failure, this.#goodbye, false);
  }

  // FramesOwner: what the backend's frames say.

  onSettings(): void {
    if (this.#state !== 'connecting') return;
    this.#deadline = NEVER;
    if (this.streamsMax === 0) this.#failConnect('it accepts no requests', 502);
    else {
      this.#state = 'open';
      this.idleSince = this.#context.clock.tick;
      this.#owner.onReady(this);
    }
  }

  onGoaway(lastId: number, code: number): void {
    if (code !== NO_ERROR) this.#goodbye = `the backend ended the connection with ${errorName(code)}`;
    this.#state = 'last';
    for (const stream of [...this.streams.values()]) {
      if (stream.id > lastId) stream.onRefused(UNPROCESSED, lastId > 0);
    }
    this.finish();
  }

  /** The backend violated the protocol: the connection ends with GOAWAY (RFC 9113 section 5.4.1). */
  onViolation(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'connecting') this.#failConnect(`it does not speak HTTP/2: ${reason}`, 502);
    else {
      this.#end(code);
      for (const stream of this.#takeStreams()) stream.onClosed(null, reason, true);
    }
  }

  // StreamOwner: calls of the streams.

  onHead(stream: ClientStream): void {
    this.#heads.push(stream);
  }

  onStreamOver(stream: ClientStream, answered: boolean): void {
    this.streams.delete(stream.id);
    if (stream.sender !== null) this.output.forget(stream.sender);
    if (answered) this.served += 1;
    if (this.streams.size > 0) return;
    this.idleSince = this.#context.clock.tick;
    if (this.#state === 'open') this.#owner.onIdle(this);
    else this.finish();
  }

  // The end.

  #failConnect(reason: string, status: 502 | 504): void {
    this.#state = 'closed';
    this.#reader.stop();
    this.#socket.destroy();
    this.#tellWaiting(reason, status);
  }

  #tellWaiting(reason: string, status: 502 | 504): void {
    const users = [...this.waiting];
    this.waiting.clear();
    for (const user of users) user.connectFailed(reason, status);
  }

  #takeStreams(): readonly ClientStream[] {
    const streams = [...this.streams.values()];
    this.streams.clear();
    return streams;
  }

  /** Sends GOAWAY and closes the socket. */
  #end(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.setDeadline(this.#context.clock.ticks(LINGER_MS));
    this.#reader.stop();
    this.output.writer.goaway(0, code);
    this.#flusher.close();
  }
}
