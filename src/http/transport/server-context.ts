import type { Socket } from 'node:net';
import type { HandlerResult } from '../handler.ts';
import type { FieldMemory } from '../http1/header-cache.ts';
import { RequestHead } from '../http1/request-head.ts';
import type { Peer, Request } from '../message.ts';
import type { Refusal } from '../refusal.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';

/** What a server's connections do with requests. */
export interface ConnectionOptions {
  /** Answers a request. What it throws, or fails with later, is answered with 500, or breaks a response off that has begun. */
  readonly handle: (request: Request) => HandlerResult;
  /** Those that differ from `DEFAULT_LIMITS`. */
  readonly limits: Partial<HttpLimits>;
  /** Open connections; further ones are closed at once. No limit when absent. */
  readonly connectionsMax?: number;
  /**
   * Called once for each request that reached `handle`, after its response's last byte was handed to the socket or the response was given
   * up, unless it had begun before anybody wanted to know. `bodyBytes` counts content without its framing; `startedAtMs` is `performance.now()` when the head was complete. Null
   * costs nothing.
   */
  readonly onAnswered: ((request: Request, status: number, bodyBytes: number, startedAtMs: number) => void) | null;
  /** Errors of handlers and of responses that contradict themselves, for the log. */
  readonly onError: (error: unknown, request: Request | null) => void;
  /** A client's mistake was answered, or met a closed connection, before there was a request. For the log. */
  readonly onRefused?: (refusal: Refusal, peer: Peer) => void;
  /**
   * Sees each request before `handle` and all logs, which get what it returns: the request, or one derived from it. Where a trusted proxy's
   * word about the client is taken. Null and absent cost nothing.
   */
  readonly receive?: ((request: Request) => Request) | null;
  /** Asked about each connection before anything of it is read. Null and absent cost nothing. */
  readonly admission?: Admission | null;
  /**
   * A client began with the first line of HTTP/2's preface (RFC 9113 section 3.4). The socket is the callee's from then on, paused; `early`
   * is all that was received, from that line's first byte. Without it such a client is answered with 505.
   */
  readonly onHttp2Preface?: (socket: Socket, early: Buffer, listener: number, peer: Peer) => void;
}

/** What can change while a server runs; what is not there stays. */
export type ConnectionChanges = Partial<
  Pick<ConnectionOptions, 'limits' | 'connectionsMax' | 'admission' | 'onAnswered'>
>;

/** Decides who may connect. */
export interface Admission {
  /** Whether a connection from this numeric address ('' on a Unix socket) may stay. Each that may is released once. */
  accept(address: string): boolean;
  /** The connection from this address is closed. */
  release(address: string): void;
}

/** The deadlines are never needed exactly, so they are counted in ticks of one timer. */
const TICK_MS_MAX = 1000;
const TICK_MS_MIN = 20;
const TICKS_PER_TIMEOUT = 4;
/** How long a client may take to read a last answer, while what it still sends is thrown away. */
const LINGER_TIMEOUT_MS = 5000;
const SPARE_HEADS_MAX = 64;

/** What all connections of a server share. */
export class ServerContext {
  readonly options: ConnectionOptions;
  readonly limits: HttpLimits;
  readonly tickMs: number;
  /** Grows by one each `tickMs` while there are connections. */
  tick = 0;
  /** No connection persists any more. */
  draining = false;
  /** The one of the options, or another one since. */
  onAnswered: ConnectionOptions['onAnswered'];
  readonly headerTicks: number;
  readonly bodyTicks: number;
  readonly keepAliveTicks: number;
  readonly writeTicks: number;
  /** Bytes that give a tick back to a client whose content is awaited; 0 when one byte gives all of them. */
  readonly bodyBytesPerTick: number;
  /** The same for a client that a response waits for. */
  readonly writeBytesPerTick: number;
  readonly lingerTicks: number;
  readonly #heads: RequestHead[] = [];

  /** `tickMs` is that of the timer which is already there, if one is. */
  constructor(options: ConnectionOptions, tickMs: number | null = null) {
    this.options = options;
    this.onAnswered = options.onAnswered;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.limits = limits;
    const shortest = Math.min(
      limits.headerTimeoutMs,
      limits.bodyTimeoutMs,
      limits.keepAliveTimeoutMs,
      limits.writeTimeoutMs,
    );
    this.tickMs = tickMs ?? Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, Math.floor(shortest / TICKS_PER_TIMEOUT)));
    this.headerTicks = this.#ticks(limits.headerTimeoutMs);
    this.bodyTicks = this.#ticks(limits.bodyTimeoutMs);
    this.keepAliveTicks = this.#ticks(limits.keepAliveTimeoutMs);
    this.writeTicks = this.#ticks(limits.writeTimeoutMs);
    this.bodyBytesPerTick = (limits.bodyRateBytesMin * this.tickMs) / 1000;
    this.writeBytesPerTick = (limits.writeRateBytesMin * this.tickMs) / 1000;
    this.lingerTicks = this.#ticks(LINGER_TIMEOUT_MS);
  }

  /** A head reader for as long as a head arrives. */
  takeHead(memory: FieldMemory | null): RequestHead {
    const head = this.#heads.pop() ?? new RequestHead(this.limits);
    head.begin(memory);
    return head;
  }

  giveHeadBack(head: RequestHead): void {
    if (this.#heads.length < SPARE_HEADS_MAX) this.#heads.push(head);
  }

  /** One more, because the current tick is already under way. */
  #ticks(ms: number): number {
    return Math.ceil(ms / this.tickMs) + 1;
  }
}
