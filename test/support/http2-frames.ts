import type { Socket } from 'node:net';
import { SocketClient } from './socket-client.ts';
import { PATIENCE_MS, within } from './wait.ts';

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const PRIORITY_UPDATE = 16;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const HAS_PRIORITY = 0x20;

export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

export const HEADER_TABLE_SIZE = 1;
export const INITIAL_WINDOW_SIZE = 4;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** An HTTP/2 frame (RFC 9113 section 4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, id: number, payload: Buffer | string = ''): Buffer {
  const content = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, content]);
}

/** A header section without compression: literals that are not indexed (RFC 7541 section 6.2.2). */
export function section(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), ...[name, value].map((text) => literal(text))]),
  );
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let remaining = bytes.length - 127;
  for (; remaining >= 128; remaining = Math.floor(remaining / 128)) length.push((remaining % 128) + 128);
  return Buffer.concat([Buffer.from([...length, remaining]), bytes]);
}

/** Fields of a request for `/`, with `changes` (undefined leaves a field out), followed by `more`. */
export function fields(
  changes: Record<string, string | undefined> = {},
  more: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const pseudo = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'a', ...changes };
  const list = Object.entries(pseudo).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [...list, ...more];
}

/** A HEADERS frame that is a whole request. Other `flags` make it the start of one. */
export function request(id: number, list = fields(), flags = END_HEADERS | END_STREAM): Buffer {
  return frame(HEADERS, flags, id, section(list));
}

export function windowUpdate(id: number, increment: number): Buffer {
  return frame(WINDOW_UPDATE, 0, id, word(increment));
}

/** A SETTINGS frame with one setting. */
export function setting(key: number, value: number): Buffer {
  return settings([key, value]);
}

/** A SETTINGS frame. */
export function settings(...list: readonly (readonly [key: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * list.length);
  for (const [i, [key, value]] of list.entries()) {
    payload.writeUInt16BE(key, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(SETTINGS, 0, 0, payload);
}

export function reset(id: number, code: number = CANCEL): Buffer {
  return frame(RST_STREAM, 0, id, word(code));
}

/** A PRIORITY_UPDATE frame (RFC 9218 section 7.1). */
export function priorityUpdate(id: number, value: string): Buffer {
  return frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([word(id), Buffer.from(value, 'latin1')]));
}

/** Four bytes with this value. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A client of raw HTTP/2 frames, so that it can misbehave. */
export class FrameClient {
  readonly socket: Socket;
  /** The TCP socket: the same one without TLS. */
  readonly raw: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  #partial = Buffer.alloc(0);
  #waiting: (() => void)[] = [];

  private constructor({ socket, raw }: SocketClient) {
    this.socket = socket;
    this.raw = raw;
    socket.on('data', (bytes: Buffer) => {
      this.#read(bytes);
      this.#wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Connects, sends the preface and `settings`, and waits for the settings of the server. */
  static async open(port: number, settings: Buffer = frame(SETTINGS, 0, 0), isTls = false): Promise<FrameClient> {
    const client = new FrameClient(await (isTls ? SocketClient.openSecure(port, 'h2') : SocketClient.open(port)));
    client.send(Buffer.concat([PREFACE, settings]));
    await client.until('SETTINGS', ({ type, flags }) => type === SETTINGS && flags === 0);
    client.send(frame(SETTINGS, ACK, 0));
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The first frame that matches. Throws if the connection ends without one. */
  async until(name: string, matches: (frame: Frame) => boolean): Promise<Frame> {
    await this.#wait(name, () => this.closed || this.frames.some(matches));
    const match = this.frames.find(matches);
    if (match === undefined)
      throw new Error(`closed before ${name}: ${JSON.stringify(this.frames.slice(-20).map(summary))}`);
    return match;
  }

  /** Waits for the end of the connection. Returns the error code of its GOAWAY, -1 if there was none. */
  async untilClosed(): Promise<number> {
    await this.#wait('the server to close', () => this.closed);
    return this.goaway;
  }

  /** Error code of the last GOAWAY; -1 if there is none. */
  get goaway(): number {
    return this.frames.findLast(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4) ?? -1;
  }

  /** Error code of the RST_STREAM for the stream `streamId`; -1 if there is none. */
  resetCode(streamId: number): number {
    const reset = this.frames.find(({ type, id }) => type === RST_STREAM && id === streamId);
    return reset?.payload.readUInt32BE(0) ?? -1;
  }

  /** Bytes of content that came on the stream `streamId`. */
  received(streamId: number): number {
    const data = this.frames.filter(({ type, id }) => type === DATA && id === streamId);
    return data.reduce((sum, { payload }) => sum + payload.length, 0);
  }

  close(): void {
    this.socket.destroy();
  }

  #wait(goal: string, isDone: () => boolean): Promise<void> {
    return within(PATIENCE_MS, goal, async () => {
      while (!isDone()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read(bytes: Buffer): void {
    const { frames, rest } = framesOf(Buffer.concat([this.#partial, bytes]));
    this.frames.push(...frames);
    this.#partial = rest;
  }
}

/** The complete frames at the start of `bytes`, and what follows them. */
export function framesOf(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer<ArrayBuffer> } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      id: bytes.readUInt32BE(at + 5),
      payload: Buffer.from(bytes.subarray(at + 9, end)),
    });
    at = end;
  }
  return { frames, rest: Buffer.from(bytes.subarray(at)) };
}

function summary({ type, flags, id, payload }: Frame): string {
  return `type ${type} flags ${flags} stream ${id} ${payload.length} bytes`;
}
