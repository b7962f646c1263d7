import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually, within } from './socket-client.ts';

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;

export const ENHANCE_YOUR_CALM = 11;

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const PATIENCE_MS = 30_000;

/** One frame of HTTP/2 (RFC 9113 section 4.1). */
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
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** Fields of a request for `/`, with `changes` (undefined takes one away) and `more` behind them. */
export function fields(
  changes: Record<string, string | undefined> = {},
  more: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const pseudo = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'a', ...changes };
  const list = Object.entries(pseudo).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [...list, ...more];
}

/** A HEADERS frame that is a whole request, or with `flags` the beginning of one. */
export function request(id: number, list = fields(), flags = END_HEADERS | END_STREAM): Buffer {
  return frame(HEADERS, flags, id, section(list));
}

export function windowUpdate(id: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(WINDOW_UPDATE, 0, id, payload);
}

/** A SETTINGS frame that says one thing. */
export function setting(key: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(key);
  payload.writeUInt32BE(value, 2);
  return frame(SETTINGS, 0, 0, payload);
}

/** A client that writes and reads frames as they are, so that it can misbehave. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Connects, says what a client says first and `settings`, and awaits the server's own. */
  static async open(port: number, settings: Buffer = frame(SETTINGS, 0, 0)): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new FrameClient(socket);
    client.send(Buffer.concat([Buffer.from(PREFACE, 'latin1'), settings]));
    await client.until('SETTINGS', ({ type, flags }) => type === SETTINGS && flags === 0);
    client.send(frame(SETTINGS, ACK, 0));
    return client;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The first frame that is as asked for; throws when the connection ends without one. */
  async until(what: string, matches: (frame: Frame) => boolean): Promise<Frame> {
    await eventually(`${what} comes`, () => this.closed || this.frames.some(matches));
    const found = this.frames.find(matches);
    if (found === undefined) throw new Error(`closed before ${what}: ${JSON.stringify(this.frames.map(summary))}`);
    return found;
  }

  /** Awaits the end of the connection and returns the error code of its GOAWAY, -1 when it said none. */
  async untilClosed(): Promise<number> {
    if (!this.closed) await within(PATIENCE_MS, 'the server to close', () => once(this.socket, 'close'));
    return this.goaway;
  }

  /** Error code of the last GOAWAY; -1 without. */
  get goaway(): number {
    return this.frames.findLast(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4) ?? -1;
  }

  /** Error code of the RST_STREAM for stream `id`; -1 without. */
  resetCode(id: number): number {
    return this.frames.find((one) => one.type === RST_STREAM && one.id === id)?.payload.readUInt32BE(0) ?? -1;
  }

  /** Bytes of content that came on stream `id`. */
  received(id: number): number {
    return this.frames.reduce((sum, one) => (one.type === DATA && one.id === id ? sum + one.payload.length : sum), 0);
  }

  close(): void {
    this.socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      if (this.#rest.length < 9) return;
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) return;
      const payload = Buffer.from(this.#rest.subarray(9, 9 + length));
      this.frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        id: this.#rest.readUInt32BE(5),
        payload,
      });
      this.#rest = this.#rest.subarray(9 + length);
    }
  }
}

function summary({ type, flags, id, payload }: Frame): string {
  return `type ${type} flags ${flags} stream ${id} ${payload.length} bytes`;
}
