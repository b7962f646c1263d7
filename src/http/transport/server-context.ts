import type { Socket } from 'node:net';
import type { HandlerResult } from '../handler.ts';
import { RequestHead } from '../http1/request-head.ts';
import type { Peer, Request } from '../message.ts';
import type { Refusal } from '../refusal.ts';
import type { HeaderCache } from '../semantics/header-cache.ts';
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts';

/** What the connections of a server do with requests. */
export interface ConnectionOptions {
  /** Answers a request. If it throws or fails later, the client gets 500; a response that has started breaks off. */
  readonly handle: (request: Request) => HandlerResult;
  /** The limits that differ from `DEFAULT_LIMITS`. */
  readonly limits: Partial<HttpLimits>;
  /** Number of open connections; further connections are closed at once. No limit when absent. */
  readonly connectionsMax?: number;
  /**
   * Called once for each request that reached `handle`, when the socket has the last byte of the response, or the response was given up.
   * Requests that started while this was null are left out. `bodyBytes` counts content without its framing; `startedAtMs` is
   * `performance.now()` at the end of the head. Null costs nothing.
   */
  readonly onAnswered: ((request: Request, status: number, bodyBytes: number, startedAtMs: number) => void) | null;
  /** Errors of handlers and of responses that contradict themselves, for the log. */
  readonly onError: (error: unknown, request: Request | null) => void;
  /**
   * A client's error was answered, or found the connection closed. `request` is what was read before the error in its content, and null when
   * there was no request yet. For the log.
   */
  readonly onRefused?: (refusal: Refusal, peer: Peer, request: Request | null) => void;
  /** A connection was closed at once because there are too many. For the log. */
  readonly onTurnedAway?: (reason: string, remoteAddress: string) => void;
  /**
   * Receives each request before `handle` and the logs. They get the request that it returns: the same, or a derived request. The
   * statements of a trusted proxy about the client are applied here. Null and absent cost nothing.
   */
  readonly receive?: ((request: Request, arrival: Arrival) => Request) | null;
  /** Whether `receive` gets the times of `Arrival`. False when absent: then nobody reads the clock. */
  readonly notesArrival?: boolean;
  /**
   * Whether clients get the fields with which an application directs the server in front of it, such as X-Accel-Redirect, because all clients
   * are front-end proxies. False when absent.
   */
  readonly passesControls?: boolean;
  /** Asked about each connection before the server reads from it. Null and absent cost nothing. */
  readonly admission?: Admission | null;
  /**
   * A client started with the first line of HTTP/2's preface (RFC 9113 section 3.4). From then on the callee owns the socket, which is
   * paused; `early` holds all received bytes, from the first byte of that line. When absent, the client gets 505.
   */
  readonly onHttp2Preface?: (socket: Socket, early: Buffer, listener: number, peer: Peer) => void;
}

/** The options that can change while a server runs. Absent options stay as they are. */
export type ConnectionChanges = Partial<
  Pick<ConnectionOptions, 'limits' | 'connectionsMax' | 'admission' | 'onAnswered' | 'notesArrival'>
>;

/** When a request arrived, by `performance.now()`; 0 for what is not known. */
export interface Arrival {
  /** The opening of the connection, or the end of its TLS handshake; 0 unless this is its first request. */
  readonly openedAtMs: number;
  /** The first byte of the head. */
  readonly headAtMs: number;
  /** The end of the head. */
  readonly startedAtMs: number;
}

/** The times of a request that came over no connection. */
export const NO_ARRIVAL: Arrival = { openedAtMs: 0, headAtMs: 0, startedAtMs: 0 };

/** Decides which clients may connect. */
export interface Admission {
  /** Whether a connection from this numeric address ('' on a Unix socket) may stay. `release` is called once for each one that may. */
  accept(address: string): boolean;
  /** The connection from this address is closed. */
  release(address: string): void;
}

/** Deadlines need not be exact, so they are counted in ticks of one timer. */
const TICK_MS_MAX = 1000;
const TICK_MS_MIN = 20;
const TICKS_PER_TIMEOUT = 4;
/** How long a client may take to read the last response, while the server drops what the client still sends. */
const LINGER_TIMEOUT_MS = 5000;
const SPARE_HEADS_MAX = 64;

/** The state that all connections of a server share. */
export class ServerContext {
  readonly options: ConnectionOptions;
  readonly limits: HttpLimits;
  readonly tickMs: number;
  /** Grows by one each `tickMs` while there are connections. */
  tick = 0;
  /** True once the server stops: no connection persists any more. */
  draining = false;
  /** `onAnswered` of the options, until it is replaced. */
  onAnswered: ConnectionOptions['onAnswered'];
  /** `notesArrival` of the options, until it is replaced. */
  notesArrival: boolean;
  readonly headerTicks: number;
  readonly bodyTicks: number;
  readonly keepAliveTicks: number;
  readonly writeTicks: number;
  /** Bytes that restore one tick to a client while its content is awaited; 0 when any byte restores the full time. */
  readonly bodyBytesPerTick: number;
  /** The same for a client while a response waits for it. */
  readonly writeBytesPerTick: number;
  readonly lingerTicks: number;
  readonly #heads: RequestHead[] = [];

  /** `tickMs` is the interval of the running timer, null when no timer runs yet. */
  constructor(options: ConnectionOptions, tickMs: number | null = null) {
    this.options = options;
    this.onAnswered = options.onAnswered;
    this.notesArrival = options.notesArrival === true;
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

  /** Lends a reader for one head. See `giveHeadBack`. */
  takeHead(headerCache: HeaderCache | null): RequestHead {
    const head = this.#heads.pop() ?? new RequestHead(this.limits);
    head.reset(headerCache);
    return head;
  }

  /** Takes back a reader of `takeHead` when its values are no longer needed. */
  giveHeadBack(head: RequestHead): void {
    if (this.#heads.length < SPARE_HEADS_MAX) this.#heads.push(head);
  }

  /** Adds one tick, because the current tick has already started. */
  #ticks(ms: number): number {
    return Math.ceil(ms / this.tickMs) + 1;
  }
}
