import assert from 'node:assert/strict';
import {
  ACK,
  CANCEL,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  type FrameClient,
  fields,
  frame,
  GOAWAY,
  HEADERS,
  INITIAL_WINDOW_SIZE,
  NO_ERROR,
  PADDED,
  PING,
  priorityUpdate,
  RST_STREAM,
  request,
  reset,
  SETTINGS,
  section,
  setting,
  WINDOW_UPDATE,
  windowUpdate,
} from './http2-frames.ts';
import { createRandom, noise } from './random.ts';

const PERIOD = 65_521;
const pattern = noise(createRandom(1), PERIOD);
const PATTERN = Buffer.concat([pattern, pattern, pattern]);
const WINDOW = 65_535;

/** The content of message `key` between two offsets, at most 65,521 bytes apart. */
export function contentOf(key: number, start: number, end: number): Buffer {
  const at = (start + key * 97) % PERIOD;
  return PATTERN.subarray(at, at + end - start);
}

/** What a client does with one stream. */
export type Kind = 'whole' | 'stream' | 'count' | 'slow' | 'ignore' | 'echo';

interface ModelStream {
  readonly id: number;
  readonly kind: Kind;
  /** Bytes of the response; of an echo, those that were sent. */
  size: number;
  /** What the server may still send. */
  window: number;
  /** What the client may still send. */
  sendWindow: number;
  received: number;
  /** Bytes of content that are still to be sent; -1 when the request has ended. */
  left: number;
  sent: number;
  readonly openedAt: number;
  state: 'open' | 'ended' | 'reset';
}

/**
 * A client of HTTP/2 that knows what a correct server may send at each moment. It checks each frame: content comes once and in order, and no
 * window is exceeded. A new first window counts from its acknowledgement on.
 */
export class ModelClient {
  readonly #client: FrameClient;
  readonly #random: () => number;
  readonly streams: ModelStream[] = [];
  #nextId = 1;
  #window = WINDOW;
  #sendWindow = WINDOW;
  #firstWindow = WINDOW;
  #settings = 0;
  #time = 0;
  /** Changes of the first window that are not acknowledged. The first SETTINGS frame changed nothing. */
  readonly #changes: { readonly at: number; readonly by: number }[] = [{ at: 0, by: 0 }];
  draining = false;

  constructor(client: FrameClient, random: () => number) {
    this.#client = client;
    this.#random = random;
  }

  get open(): readonly ModelStream[] {
    return this.streams.filter(({ state, left }) => state === 'open' || (state === 'ended' && left >= 0));
  }

  /** Does something that the protocol allows. */
  act(): void {
    const chance = this.#random();
    if (chance < 0.2 && this.open.length < 30 && !this.draining) this.#start();
    else if (chance < 0.5) this.#upload(this.#pick(this.open.filter(({ left }) => left >= 0)));
    else if (chance < 0.75) this.#openWindow();
    else if (chance < 0.78 && this.#settings < 30) this.#resize(this.#pick([0, 1, 100, 5000, WINDOW, 200_000]) ?? 0);
    else if (chance < 0.8) this.#giveUp(this.#pick(this.open));
    else if (chance < 0.83) this.#send(priorityUpdate(2 * this.#upTo(this.streams.length + 10) + 1, 'u=2, i'));
    else if (chance < 0.84) this.#send(frame(0xbb, 0, 0, 'x'));
  }

  /** Opens all windows and ends all uploads, as far as the server allows. */
  finish(): void {
    if (this.#firstWindow !== WINDOW) this.#resize(WINDOW);
    if (this.#window < 1_000_000) this.#grant(0, 1_000_000);
    for (const stream of this.open) {
      if (stream.state === 'open' && stream.window < 100_000) this.#grant(stream.id, 200_000);
      if (stream.left >= 0) this.#upload(stream);
    }
  }

  /** Checks the frames that have come since the last call. */
  check(): void {
    for (const one of this.#client.frames.splice(0)) this.#checkFrame(one);
  }

  #checkFrame({ type, flags, id, payload }: Frame): void {
    const stream = this.streams[(id - 1) / 2];
    switch (type) {
      case DATA:
        assert.ok(stream !== undefined, `DATA of stream ${id}, which was not started`);
        this.#window -= payload.length;
        assert.ok(this.#window >= 0, 'the window of the connection is exceeded');
        if (stream.state !== 'reset') this.#receive(stream, payload);
        break;
      case RST_STREAM:
        assert.ok(stream !== undefined);
        assert.equal(payload.readUInt32BE(0), NO_ERROR, `stream ${id} (${stream.kind}) was reset`);
        assert.notEqual(stream.state, 'open', `stream ${id} was reset before its end`);
        stream.left = -1;
        break;
      case SETTINGS:
        if (flags === ACK) this.#acknowledged();
        break;
      case WINDOW_UPDATE:
        if (id === 0) this.#sendWindow += payload.readUInt32BE(0);
        else if (stream !== undefined) stream.sendWindow += payload.readUInt32BE(0);
        break;
      case PING:
        if (flags !== ACK) this.#send(frame(PING, ACK, 0, payload));
        break;
      case GOAWAY:
        assert.equal(payload.readUInt32BE(4), NO_ERROR, 'the connection ends with an error');
        assert.ok(this.draining, 'the connection ends');
        break;
      default:
        assert.equal(type, HEADERS, `a frame of type ${type}`);
    }
    if ((type !== DATA && type !== HEADERS) || (flags & END_STREAM) === 0 || stream === undefined) return;
    if (stream.state === 'reset') return;
    assert.equal(stream.state, 'open', `stream ${id} ended twice`);
    stream.state = 'ended';
    const size = stream.kind === 'echo' ? stream.sent : stream.size;
    assert.equal(stream.received, size, `the content of stream ${id} (${stream.kind})`);
  }

  #receive(stream: ModelStream, payload: Buffer): void {
    const { id, received } = stream;
    assert.equal(stream.state, 'open', `DATA of stream ${id} after its end`);
    stream.window -= payload.length;
    assert.ok(payload.length === 0 || stream.window >= 0, `the window of stream ${id} is exceeded`);
    const expected = contentOf(id, received, received + payload.length);
    assert.ok(payload.equals(expected), `the content of stream ${id} (${stream.kind}) at ${received}`);
    stream.received += payload.length;
  }

  #acknowledged(): void {
    const change = this.#changes.shift();
    assert.ok(change !== undefined, 'an acknowledgement too many');
    for (const stream of this.streams) if (stream.openedAt < change.at) stream.window += change.by;
  }

  #start(): void {
    const kind = this.#pick<Kind>(['whole', 'stream', 'count', 'slow', 'ignore', 'echo']) as Kind;
    const id = this.#nextId;
    this.#nextId += 2;
    const uploads = kind !== 'whole' && kind !== 'stream';
    const size = this.#pick([0, 1, 5, 1000, 16_384, 16_385, 70_000, 300_000]) ?? 0;
    this.streams.push({
      id,
      kind,
      size: uploads ? 0 : size,
      window: this.#firstWindow,
      sendWindow: WINDOW,
      received: 0,
      left: uploads ? size : -1,
      sent: 0,
      openedAt: this.#time,
      state: 'open',
    });
    const more: (readonly [string, string])[] = [];
    const priority = this.#pick(['', 'u=0', 'u=5, i', 'i']);
    if (priority) more.push(['priority', priority]);
    if (uploads && this.#random() < 0.5) more.push(['content-length', `${size}`]);
    const list = fields({ ':method': uploads ? 'POST' : 'GET', ':path': `/${kind}/${id}/${size}` }, more);
    this.#send(request(id, list, uploads ? END_HEADERS : END_HEADERS | END_STREAM));
  }

  #upload(stream: ModelStream | undefined): void {
    if (stream === undefined) return;
    const { id, left } = stream;
    const room = Math.max(0, Math.min(stream.sendWindow, this.#sendWindow, 16_384));
    const padding = left > 0 && this.#random() < 0.2 && room > 300 ? this.#upTo(256) : -1;
    const bytes = Math.min(left, room - padding - 1, 1 + this.#upTo(20_000));
    const withTrailers = this.#random() < 0.3;
    const isLast = bytes === left;
    if (bytes <= 0 && !isLast) return;
    const content = contentOf(id, stream.sent, stream.sent + bytes);
    const flags = (isLast && !withTrailers ? END_STREAM : 0) | (padding < 0 ? 0 : PADDED);
    const payload = padding < 0 ? content : Buffer.concat([Buffer.from([padding]), content, Buffer.alloc(padding)]);
    if (bytes > 0 || !withTrailers) this.#send(frame(DATA, flags, id, payload));
    stream.sendWindow -= payload.length;
    this.#sendWindow -= payload.length;
    stream.sent += bytes;
    stream.left = isLast ? -1 : left - bytes;
    if (isLast && withTrailers)
      this.#send(frame(HEADERS, END_HEADERS | END_STREAM, id, section([['x-sum', `${stream.sent}`]])));
  }

  #openWindow(): void {
    const stream = this.#pick([undefined, ...this.open.filter(({ state }) => state === 'open')]);
    const by = 1 + this.#upTo(this.#pick([10, 1000, 50_000]) ?? 1);
    if (stream === undefined) this.#grant(0, by);
    else this.#grant(stream.id, by);
  }

  #grant(id: number, by: number): void {
    const stream = this.streams[(id - 1) / 2];
    if (stream === undefined) this.#window += by;
    else stream.window += by;
    this.#send(windowUpdate(id, by));
  }

  #resize(bytes: number): void {
    this.#settings += 1;
    this.#time += 1;
    this.#changes.push({ at: this.#time, by: bytes - this.#firstWindow });
    this.#firstWindow = bytes;
    this.#send(setting(INITIAL_WINDOW_SIZE, bytes));
  }

  #giveUp(stream: ModelStream | undefined): void {
    if (stream === undefined) return;
    this.#send(reset(stream.id, CANCEL));
    stream.state = 'reset';
    stream.left = -1;
  }

  /** Sends `bytes` in one piece or in two. */
  #send(bytes: Buffer): void {
    const cut = this.#random() < 0.1 ? this.#upTo(bytes.length) : 0;
    if (cut > 0) this.#client.send(bytes.subarray(0, cut));
    this.#client.send(bytes.subarray(cut));
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#upTo(list.length)];
  }

  #upTo(end: number): number {
    return Math.floor(this.#random() * end);
  }
}
