import type { Peer } from '../message.ts';
import { peerOf } from '../peer.ts';
import { Refusal } from '../refusal.ts';
import { ClientSocketControl } from '../transport/client-socket-control.ts';
import type { OpenRequest } from '../transport/protocol-server.ts';
import { NEVER } from '../transport/rate-deadline.ts';
import { attachSocket, type ClientSocket, type Receiver } from '../transport/socket-reader.ts';
import { ENHANCE_YOUR_CALM, NO_ERROR, SETTINGS_TIMEOUT, STREAM_ID_MAX } from './frames.ts';
import type { Http2Context } from './http2-context.ts';
import { Session, type SessionOwner } from './session.ts';

/**
 * What a connection does at present:
 * - `open`: takes requests
 * - `draining`: has announced its end, and takes what the client sent before it learned of that
 * - `last`: finishes the streams that it has
 * - `ending`: waits until the client has read the last frame
 * - `closed`: does nothing any more
 */
type State = 'open' | 'draining' | 'last' | 'ending' | 'closed';

/** When more waits for the client, it is not read any more: heads of responses need no window, so nothing else limits them. */
const UNREAD_BYTES_MAX = 524_288;
/** The content of the PING whose answer shows that the client knows of the end. */
const DRAIN_PING = Buffer.from('draining', 'latin1');

/** One client's connection (RFC 9113): a session, its socket, and the client's time limits. */
export class Http2Connection implements SessionOwner, Receiver {
  readonly #context: Http2Context;
  readonly #socket: ClientSocket<Http2Connection>;
  readonly #socketControl: ClientSocketControl;
  readonly #onClosed: (connection: Http2Connection) => void;
  readonly #session: Session;
  #state: State = 'open';
  /** The deadlines for the end of a header section, the acknowledgement of the settings, and the answer to the PING before the end. */
  #headersDeadline = NEVER;
  #settingsDeadline: number;
  #drainDeadline = NEVER;
  #reported = false;
  #receiving = false;
  #flushing = false;
  #scheduled = false;

  constructor(
    socket: ClientSocket<Http2Connection>,
    listener: number,
    context: Http2Context,
    peer: Peer | null,
    onClosed: (connection: Http2Connection) => void,
  ) {
    this.#context = context;
    this.#socket = socket;
    this.#socketControl = new ClientSocketControl(socket, context);
    this.#onClosed = onClosed;
    this.#settingsDeadline = context.tick + context.headerTicks;
    this.#session = new Session(context, peer ?? peerOf(socket, listener), this);
  }

  /** Starts the connection; `early` holds bytes that were read before. */
  open(early: Buffer | null): void {
    if (this.#context.notesArrival) this.#session.openedAtMs = performance.now();
    this.#socketControl.await(this.#context.headerTicks);
    attachSocket(this.#socket, this);
    this.#session.start();
    if (early === null) this.#flush();
    else this.receive(early, early.length);
  }

  // Receiver: calls of the socket.

  receive(bytes: Buffer, length: number): void {
    if (this.#state === 'ending' || this.#state === 'closed') return;
    const { reader } = this.#session;
    if (this.#context.notesArrival && !reader.inHeaders) this.#session.headAtMs = performance.now();
    this.#receiving = true;
    reader.receive(bytes, length);
    this.#receiving = false;
    if (!reader.inHeaders) this.#headersDeadline = NEVER;
    else if (this.#headersDeadline === NEVER) this.#headersDeadline = this.#context.tick + this.#context.headerTicks;
    this.#flush();
  }

  /** A client that sends no more can neither acknowledge nor make room: it has left. */
  inputEnded(): void {
    this.#end();
  }

  drained(): void {
    this.#socketControl.unblock();
    this.#socketControl.setReceiving(true);
    this.#session.output.queue.blocked = false;
    this.#awaitNext();
    this.#flush();
  }

  closed(): void {
    this.#state = 'closed';
    this.#session.leave();
    this.#onClosed(this);
  }

  // SessionOwner: calls of the session.

  /** What is written outside of `receive` leaves together at the end of this turn of the event loop. */
  onWriting(): void {
    if (this.#receiving || this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    process.nextTick(flush, this);
  }

  onBusyChanged(): void {
    this.#awaitNext();
  }

  onSettingsAcknowledged(): void {
    this.#settingsDeadline = NEVER;
  }

  onPingAnswered(bytes: Buffer, start: number): void {
    if (this.#state === 'draining' && bytes.compare(DRAIN_PING, 0, 8, start, start + 8) === 0) this.#takeLast();
  }

  /** One line for each connection is enough: a client that does one thing wrong often does it again and again. */
  onFault(reason: string): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#context.options.onRefused?.(new Refusal(400, reason), this.#session.peer, null);
  }

  onViolation(code: number, reason: string): void {
    if (this.#state === 'ending' || this.#state === 'closed') return;
    this.onFault(reason);
    this.#session.output.writer.goaway(this.#session.lastId, code);
    this.#end();
  }

  // The client's time, and the end.

  /** Starts the client's time for its next step, unless it has to take something first. */
  #awaitNext(): void {
    if (this.#socketControl.blocked || this.#state === 'closed') return;
    const { keepAliveTicks, lingerTicks } = this.#context;
    if (this.#state === 'ending') this.#socketControl.await(lingerTicks);
    else if (this.#session.isBusy) this.#socketControl.awaitNothing();
    else if (this.#state === 'last') this.#end();
    else this.#socketControl.await(keepAliveTicks);
  }

  /** The server stops, or nobody needs the connection: the client learns that it has to go elsewhere (RFC 9113 section 6.8). */
  drain(): void {
    if (this.#state !== 'open') return;
    if (!this.#session.reader.isReady) {
      this.#end();
      return;
    }
    const { writer } = this.#session.output;
    this.#state = 'draining';
    writer.goaway(STREAM_ID_MAX, NO_ERROR);
    writer.ping(DRAIN_PING, 0, false);
    this.#drainDeadline = this.#context.tick + this.#context.lingerTicks;
    this.#flush();
  }

  /** The client knows that this connection ends: no further stream is taken. */
  #takeLast(): void {
    this.#state = 'last';
    this.#drainDeadline = NEVER;
    this.#session.isLast = true;
    this.#session.output.writer.goaway(this.#session.lastId, NO_ERROR);
    this.#awaitNext();
    this.#flush();
  }

  #end(): void {
    if (this.#state === 'ending' || this.#state === 'closed') return;
    this.#state = 'ending';
    this.#session.reader.stop();
    this.#session.leave();
    this.#write();
    this.#socketControl.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  requests(): Iterable<OpenRequest> {
    return this.#session.requests();
  }

  /** Called once a tick. */
  sweep(): void {
    const { tick } = this.#context;
    const session = this.#session;
    const late = this.#socketControl.sweep();
    if (tick >= this.#headersDeadline) this.onViolation(ENHANCE_YOUR_CALM, 'a header section did not end in time');
    else if (tick >= this.#settingsDeadline && session.reader.isReady) {
      this.onViolation(SETTINGS_TIMEOUT, 'the settings were not acknowledged in time');
    } else if (tick >= this.#drainDeadline) this.#takeLast();
    else if (late) this.#late();
    else {
      session.sweep();
      if (!session.isBusy) session.rest();
    }
    this.#flush();
  }

  /** The client's time is over. */
  #late(): void {
    if (this.#state === 'ending' || this.#socketControl.blocked) this.destroy();
    else this.drain();
  }

  // Writing.

  flushScheduled(): void {
    this.#scheduled = false;
    this.#flush();
  }

  #flush(): void {
    if (this.#flushing || this.#state === 'ending' || this.#state === 'closed') return;
    const { queue } = this.#session.output;
    this.#flushing = true;
    do {
      queue.pump();
    } while (this.#write() && queue.isWaiting);
    this.#flushing = false;
  }

  /** Gives the socket what was written. Returns whether that was something, and the socket takes more. */
  #write(): boolean {
    const { writer, queue } = this.#session.output;
    const { bytes } = writer;
    if (bytes === 0) return false;
    this.#session.countSent(bytes);
    const socket = this.#socket;
    if (writer.writeTo(socket)) return true;
    queue.blocked = true;
    this.#socketControl.block(bytes);
    if (socket.writableLength > UNREAD_BYTES_MAX) this.#socketControl.setReceiving(false);
    return false;
  }
}

function flush(connection: Http2Connection): void {
  connection.flushScheduled();
}
