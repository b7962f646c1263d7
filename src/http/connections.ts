import type { Socket } from 'node:net';
import { Connection, type Tunnel } from './connection.ts';
import type { HandlerResult } from './handler.ts';
import type { HttpLimits } from './limits.ts';
import type { Request } from './message.ts';
import { RequestHeadParser } from './request-head.ts';
import { readInto } from './socket-reader.ts';

export interface ConnectionOptions {
  /** Answers a request. What it throws, or fails with later, is answered with 500. */
  readonly handle: (request: Request) => HandlerResult;
  readonly limits: HttpLimits;
  /**
   * Called when a response is over: its last byte was handed to the socket, or it was given up. `bodyBytes` counts content without
   * framing, `startedAtMs` is `performance.now()` at the request's head. Null costs nothing.
   */
  readonly onAnswered: ((request: Request, status: number, bodyBytes: number, startedAtMs: number) => void) | null;
  /** Failures of handlers and responses, for the log. */
  readonly onError: (error: unknown, request: Request | null) => void;
  /** Takes the socket over when the request asks for an upgrade and this returns true. Absent, or false: a request as any other. */
  readonly onUpgrade?: (request: Request, tunnel: Tunnel) => boolean;
}

/** How often deadlines are looked at: they are late by this much at most. */
const SWEEP_MS_MAX = 500;
const SWEEP_MS_MIN = 25;

/** All connections of a server, with the one timer that stops slow clients. */
export class Connections {
  readonly options: ConnectionOptions;
  readonly parser: RequestHeadParser;
  /** `performance.now()` as of the last sweep: exact enough for deadlines, and free. */
  nowMs = performance.now();
  /** No connection is kept alive any more. */
  draining = false;
  readonly #open = new Set<Connection>();
  readonly #sweepMs: number;
  #timer: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    this.options = options;
    this.parser = new RequestHeadParser(options.limits);
    const { headerTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, writeTimeoutMs } = options.limits;
    const shortest = Math.min(headerTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, writeTimeoutMs);
    this.#sweepMs = Math.max(SWEEP_MS_MIN, Math.min(SWEEP_MS_MAX, shortest / 4));
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes an accepted socket, paused, with `allowHalfOpen`. `listener` is the index of the listener it came by. */
  accept(accepted: Socket, listener: number): void {
    if (this.#timer === null) {
      this.nowMs = performance.now();
      this.#timer = setInterval(() => this.#sweep(), this.#sweepMs);
    }
    const socket = readInto(accepted, receive);
    const connection = new Connection(socket, this, listener);
    (socket as ClientSocket).connection = connection;
    socket.on('end', ended).on('drain', drained).on('error', ignore).on('close', closed);
    this.#open.add(connection);
    socket.resume();
  }

  /** A connection is closed. */
  remove(connection: Connection): void {
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#drained?.();
  }

  /** Closes idle connections now and busy ones after their response, which says so. Resolves when all are closed. */
  drain(): Promise<void> {
    this.draining = true;
    for (const connection of this.#open) connection.drain();
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** Closes everything now. */
  destroy(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #sweep(): void {
    this.nowMs = performance.now();
    for (const connection of this.#open) connection.sweep(this.nowMs);
  }
}

interface ClientSocket extends Socket {
  connection: Connection;
}

/** The functions that all sockets share: a connection that waits needs none of its own. */
function receive(socket: Socket, bytes: Buffer): void {
  (socket as ClientSocket).connection.receive(bytes);
}

function ended(this: Socket): void {
  (this as ClientSocket).connection.inputEnded();
}

function drained(this: Socket): void {
  (this as ClientSocket).connection.drained();
}

function closed(this: Socket): void {
  (this as ClientSocket).connection.closed();
}

/** The close event that follows says everything. */
function ignore(): void {}
