import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Peer } from '../message.ts';
import { peerOf } from '../peer.ts';
import { Refusal } from '../refusal.ts';
import { Credit, NEVER } from '../transport/rate-deadline.ts';
import { type ExchangeOwner, StreamExchange } from './exchange.ts';
import { FrameGuard, type FrameWatcher, type Violation } from './frame-guard.ts';
import { GuardedSocket, type SocketOwner } from './guarded-socket.ts';
import type { Http2Context } from './http2-context.ts';

const OVERFLOWED_MAX = 128;

const {
  NGHTTP2_CANCEL,
  NGHTTP2_ENHANCE_YOUR_CALM,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_NO_ERROR,
  NGHTTP2_REFUSED_STREAM,
} = constants;

/** One client's connection (RFC 9113): its streams are exchanges, at once and in any order. Node's engine reads and writes the frames. */
export class Http2Connection implements FrameWatcher, SocketOwner, ExchangeOwner {
  readonly peer: Peer;
  /** Bytes that the client's socket had taken at the last tick. */
  taken = 0;
  readonly #context: Http2Context;
  readonly #socket: Duplex;
  readonly #guarded: GuardedSocket;
  readonly #guard: FrameGuard;
  readonly #onClosed: (connection: Http2Connection) => void;
  readonly #exchanges = new Map<number, StreamExchange>();
  /** Streams that went wrong before the engine had come to their beginning. */
  readonly #overflowed = new Set<number>();
  #session: ServerHttp2Session | null = null;
  #state: 'open' | 'draining' | 'ending' | 'closed' = 'open';
  /** By when an idle connection must have a request, or an ending one be closed. */
  #deadline = NEVER;
  /** By when a header section that has begun must be whole. */
  #headersDeadline = NEVER;
  /** Its time to take what waits in its socket. */
  readonly #taking: Credit;
  /** Bytes that were handed to the socket. */
  #sent = 0;
  #reported = false;

  constructor(
    socket: Duplex,
    listener: number,
    context: Http2Context,
    peer: Peer | null,
    onClosed: (connection: Http2Connection) => void,
  ) {
    this.peer = peer ?? peerOf(socket as Socket, listener);
    this.#socket = socket;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#taking = new Credit(context, context.writeTicks, context.writeBytesPerTick);
    this.#guard = new FrameGuard(this, context.sectionBytesMax, context.tickMs);
    this.#guarded = new GuardedSocket(socket, this);
  }

  /** Begins; `early` are bytes that were read before. */
  open(early: Buffer | null): void {
    this.#deadline = this.#context.tick + this.#context.headerTicks;
    const session = performServerHandshake(this.#guarded, this.#context.sessionOptions);
    this.#session = session;
    session.on('error', (error) => this.#onSessionError(error));
    session.on('stream', (stream, _fields, _flags, raw?: readonly string[]) => this.#accept(stream, raw ?? []));
    session.setLocalWindowSize(this.#context.windowBytes);
    this.#guarded.open(early);
  }

  #accept(stream: ServerHttp2Stream, raw: readonly string[]): void {
    stream.on('error', () => {});
    if (stream.destroyed || stream.closed) return;
    if (this.#overflowed.delete(stream.id ?? 0)) {
      stream.close(NGHTTP2_FLOW_CONTROL_ERROR);
      return;
    }
    // Also those count whose client has left, so that no client has more work done than it may by leaving again and again.
    if (this.#exchanges.size >= this.#context.streamsMax) {
      stream.close(NGHTTP2_REFUSED_STREAM);
      return;
    }
    const exchange = new StreamExchange(stream, this.#context, this);
    this.#exchanges.set(exchange.id, exchange);
    this.#deadline = NEVER;
    exchange.begin(raw, this.#context.fields);
  }

  // ExchangeOwner: what exchanges ask and tell.

  isOpen(id: number): boolean {
    return this.#guard.isOpen(id);
  }

  onExchangeOver(exchange: StreamExchange): void {
    this.#exchanges.delete(exchange.id);
    this.#guard.leave(exchange.id);
    const { rstCode } = exchange.stream;
    const forced = rstCode !== NGHTTP2_NO_ERROR && rstCode !== NGHTTP2_CANCEL && !exchange.reset && !exchange.brokenOff;
    if (forced && !this.#guard.countReset(this.#context.tick)) this.#refuseSoon();
    if (this.#exchanges.size > 0) return;
    const { tick, keepAliveTicks, lingerTicks } = this.#context;
    if (this.#state === 'open') this.#deadline = tick + keepAliveTicks;
    else if (this.#state === 'draining') this.#deadline = tick + lingerTicks;
  }

  // FrameWatcher and SocketOwner: what the client's frames and its socket tell.

  onWindowUpdate(id: number, increment: number): void {
    if (id !== 0) this.#exchanges.get(id)?.onWindowUpdate(increment);
  }

  onOverflow(id: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange !== undefined) setImmediate(() => exchange.stream.close(NGHTTP2_FLOW_CONTROL_ERROR));
    else if (this.#overflowed.size < OVERFLOWED_MAX) this.#overflowed.add(id);
  }

  onReset(id: number): void {
    const exchange = this.#exchanges.get(id);
    if (exchange !== undefined) exchange.reset = true;
  }

  onReceived(bytes: Uint8Array): number {
    const guard = this.#guard;
    if (guard.violation !== null) return 0;
    const passed = guard.scan(bytes, this.#context.tick);
    if (guard.violation !== null) this.#refuseSoon();
    if (!guard.inHeaders) this.#headersDeadline = NEVER;
    else if (this.#headersDeadline === NEVER) {
      this.#headersDeadline = this.#context.tick + this.#context.headerTicks;
    }
    return passed;
  }

  onSent(bytes: number): void {
    this.#guard.countSent(bytes);
    this.#sent += bytes;
    this.#taking.run();
  }

  onEnding(): void {
    if (this.#state === 'closed') return;
    this.#state = 'ending';
    this.#deadline = this.#context.tick + this.#context.lingerTicks;
  }

  onSocketClosed(): void {
    this.#state = 'closed';
    this.#session?.destroy();
    this.#onClosed(this);
  }

  /** Lets the engine answer first what came before. */
  #refuseSoon(): void {
    const { violation } = this.#guard;
    if (violation !== null) setImmediate(() => this.#refuse(violation));
  }

  /** The engine found that the client broke the protocol, and has said so. */
  #onSessionError(error: NodeJS.ErrnoException): void {
    if (error.code?.startsWith('ERR_HTTP2') === true) this.#report(error.message);
  }

  /** Ends the connection over what its client did. The engine would say so only after all that it has to answer. */
  #refuse(violation: Violation): void {
    this.#report(violation.reason);
    if (this.#state === 'ending' || this.#state === 'closed') return;
    this.#guarded.endWith(goaway(this.#guard.lastId, violation.code));
    this.#session?.destroy();
  }

  #report(reason: string): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#context.options.onRefused?.(new Refusal(400, reason), this.peer);
  }

  // What the server does.

  /** The server stops: says so, and closes after the last response. */
  drain(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#deadline = this.#exchanges.size === 0 ? this.#context.tick + this.#context.lingerTicks : NEVER;
    this.#session?.close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Called once a tick. */
  sweep(): void {
    const { tick } = this.#context;
    const { pending } = this.#guarded;
    const taken = this.#sent - pending;
    this.#taking.earn(taken - this.taken);
    if (pending === 0) this.#taking.rest();
    if (this.#state === 'ending' && pending > 0) this.#deadline = tick + this.#context.lingerTicks;
    this.taken = taken;
    if (this.#taking.spent) this.destroy();
    else if (tick >= this.#headersDeadline) {
      this.#refuse({ code: NGHTTP2_ENHANCE_YOUR_CALM, reason: 'a header section did not end in time' });
    } else if (tick >= this.#deadline) {
      if (this.#state === 'open') this.drain();
      else this.destroy();
      return;
    }
    for (const exchange of this.#exchanges.values()) exchange.sweep();
  }
}

/** The last frame of a connection that goes wrong (RFC 9113 section 6.8). */
function goaway(lastId: number, code: number): Buffer {
  const frame = Buffer.alloc(17);
  frame[2] = 8;
  frame[3] = 7;
  frame.writeUInt32BE(lastId, 9);
  frame.writeUInt32BE(code, 13);
  return frame;
}
