import { BodyReader } from './body-reader.ts';
import type { HttpLimits } from './limits.ts';
import type { BodySink, HeaderList, RequestBody } from './message.ts';

/** What a body needs from its connection. */
export interface BodyConnection {
  /** The body is wanted now. */
  bodyWanted(): void;
  pauseReading(): void;
  resumeReading(): void;
}

/** The content of the request that a connection is reading. It moves only while somebody has started it. */
export class IncomingBody implements RequestBody {
  readonly length: number;
  state: 'unwanted' | 'wanted' | 'paused' | 'cancelled' | 'ended' = 'unwanted';
  readonly #connection: BodyConnection;
  readonly #reader: BodyReader;
  #sink: BodySink = NOWHERE;

  constructor(length: number, limits: HttpLimits, connection: BodyConnection) {
    this.length = length;
    this.#connection = connection;
    this.#reader = new BodyReader(length, limits);
  }

  get trailers(): HeaderList {
    return this.#reader.trailers;
  }

  get complete(): boolean {
    return this.#reader.complete;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.state = 'wanted';
    this.#connection.bodyWanted();
  }

  pause(): void {
    if (this.state !== 'wanted') return;
    this.state = 'paused';
    this.#connection.pauseReading();
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'wanted';
    this.#connection.resumeReading();
  }

  /** What is still to come is thrown away. */
  cancel(): void {
    this.#sink = NOWHERE;
    if (this.state !== 'ended') this.state = 'cancelled';
  }

  /** Whether bytes may be read into it. */
  get open(): boolean {
    return (this.state === 'wanted' || this.state === 'cancelled') && !this.#reader.complete;
  }

  /** Reads on; returns as `BodyReader.read` does. Tells the sink when the body ends. */
  read(bytes: Buffer, start: number): number {
    const at = this.#reader.read(bytes, start, this.#sink);
    if (this.#reader.complete && this.state !== 'ended') {
      const cancelled = this.state === 'cancelled';
      this.state = 'ended';
      if (!cancelled) this.#sink.end();
    }
    return at;
  }

  /** The rest will not come. */
  fail(error: Error): void {
    if (this.state === 'ended') return;
    const sink = this.state === 'cancelled' ? NOWHERE : this.#sink;
    this.state = 'ended';
    this.#sink = NOWHERE;
    sink.fail(error);
  }
}

const NOWHERE: BodySink = { write() {}, end() {}, fail() {} };
