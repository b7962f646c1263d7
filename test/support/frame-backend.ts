import { HpackDecoder } from '../../src/http/http2/hpack/decoder.ts';
import type { HeaderField } from '../../src/http/http2/hpack/header-field.ts';
import { breakOff } from '../../src/http/transport/reset-socket.ts';
import type { Backend } from '../../src/proxy/backend.ts';
import { type BackendConnection, startBackend } from './backend.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  HEADERS,
  PREFACE,
  SETTINGS,
  section,
} from './http2-frames.ts';
import type { Lifetime } from './lifetime.ts';

/** A connection to a backend of raw HTTP/2 frames. */
export interface FrameConnection {
  /** Counted from 1. */
  readonly number: number;
  readonly frames: readonly Frame[];
  /** The header sections of each stream: the head, and perhaps trailers. */
  readonly sections: ReadonlyMap<number, readonly Record<string, string>[]>;
  send(...frames: Buffer[]): void;
  /** Ends its side; `reset` resets the connection. */
  close(reset?: boolean): void;
}

export interface FrameBackend {
  readonly backend: Backend;
  readonly port: number;
  readonly connections: readonly FrameConnection[];
  stop(): void;
}

export interface FrameBehaviour {
  /** Sent when a client connects; an empty SETTINGS frame by default. */
  readonly settings?: Buffer;
  /** Called for each frame but SETTINGS. */
  readonly onFrame?: (connection: FrameConnection, frame: Frame) => void;
}

/** Starts a backend of raw HTTP/2 frames (h2c), so that it can misbehave. It acknowledges settings. */
export async function startFrameBackend(
  t: Lifetime,
  { settings = frame(SETTINGS, 0, 0), onFrame }: FrameBehaviour,
): Promise<FrameBackend> {
  const readers = new Map<BackendConnection, Connection>();
  const connections: Connection[] = [];
  const server = await startBackend(t, {
    onOpen(connection) {
      const reader = new Connection(connection, onFrame);
      readers.set(connection, reader);
      connections.push(reader);
      connection.socket.write(settings);
    },
    onData: (connection, block) => readers.get(connection)?.read(block),
  });
  return {
    backend: { ...server.backend, protocol: 'http2' },
    port: server.port,
    connections,
    stop: () => server.stop(),
  };
}

class Connection implements FrameConnection {
  readonly number: number;
  readonly frames: Frame[] = [];
  readonly sections = new Map<number, Record<string, string>[]>();
  readonly #connection: BackendConnection;
  readonly #onFrame: FrameBehaviour['onFrame'];
  readonly #decoder = new HpackDecoder();
  #bytes = Buffer.alloc(0);
  #hasPreface = false;

  constructor(connection: BackendConnection, onFrame: FrameBehaviour['onFrame']) {
    this.number = connection.number;
    this.#connection = connection;
    this.#onFrame = onFrame;
  }

  send(...frames: Buffer[]): void {
    this.#connection.socket.write(Buffer.concat(frames));
  }

  close(reset = false): void {
    if (reset) breakOff(this.#connection.socket);
    else this.#connection.socket.end();
  }

  read(block: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, block]);
    if (!this.#hasPreface) {
      if (this.#bytes.length < PREFACE.length) return;
      this.#bytes = this.#bytes.subarray(PREFACE.length);
      this.#hasPreface = true;
    }
    while (this.#bytes.length >= 9 && this.#bytes.length >= 9 + this.#bytes.readUIntBE(0, 3)) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      const received: Frame = {
        type: this.#bytes.readUInt8(3),
        flags: this.#bytes.readUInt8(4),
        id: this.#bytes.readUInt32BE(5),
        payload: Buffer.from(this.#bytes.subarray(9, end)),
      };
      this.#bytes = this.#bytes.subarray(end);
      this.frames.push(received);
      if (received.type === HEADERS) this.#decode(received);
      if (received.type === SETTINGS) {
        if ((received.flags & ACK) === 0) this.send(frame(SETTINGS, ACK, 0));
      } else this.#onFrame?.(this, received);
    }
  }

  #decode({ id, payload }: Frame): void {
    const fields: HeaderField[] = [];
    this.#decoder.decode(payload, 0, payload.length, fields, 1e6, 1e4);
    const sections = this.sections.get(id) ?? [];
    sections.push(Object.fromEntries(fields.map(({ name, value }) => [name, value])));
    this.sections.set(id, sections);
  }
}

/** A HEADERS frame with the head of a response, or with trailers. It ends the stream unless `ends` is false. */
export function responseHead(id: number, fields: readonly (readonly [string, string])[], ends = true): Buffer {
  return frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), id, section(fields));
}
