import type { FromPython, ToPython } from '../../../src/workers/messages.ts';
import type { Program, SimProcess } from '../process.ts';
import type { ProcessSocket } from '../socket.ts';

const READ_BYTES = 65536;

export function pack(message: FromPython): Buffer {
  const json = Buffer.from(JSON.stringify(message), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length, 0);
  return Buffer.concat([length, json]);
}

/** `socket.sendall`. Returns false when the server has closed the connection. */
export function* sendAll(socket: ProcessSocket, data: Buffer): Program<boolean> {
  for (let rest = data; rest.length > 0; ) {
    const sent = socket.send(rest);
    if (sent < 0) return false;
    rest = rest.subarray(sent);
    if (rest.length > 0) yield 'wait';
  }
  return true;
}

/** The control connection of a process, as in channel.py. */
export class Channel {
  readonly socket: ProcessSocket;
  readonly #process: SimProcess;
  #received: Buffer = Buffer.alloc(0);
  #sending = false;

  constructor(process: SimProcess, socket: ProcessSocket) {
    this.#process = process;
    this.socket = socket;
  }

  *send(message: FromPython): Program {
    while (this.#sending) yield 'wait';
    this.#sending = true;
    yield* sendAll(this.socket, pack(message));
    this.#sending = false;
    this.#process.wake();
  }

  /** The next message that has arrived completely; null when the server is gone. */
  *receive(): Program<ToPython | null> {
    for (;;) {
      const message = this.poll();
      if (message !== undefined) return message;
      yield 'wait';
    }
  }

  /** As `receive`, but returns undefined instead of waiting. */
  poll(): ToPython | null | undefined {
    for (;;) {
      const end = this.#received.length < 4 ? Infinity : 4 + this.#received.readUInt32LE(0);
      if (this.#received.length >= end) {
        const message = JSON.parse(this.#received.toString('utf8', 4, end)) as ToPython;
        this.#received = this.#received.subarray(end);
        return message;
      }
      const block = this.socket.receive(READ_BYTES);
      if (block === null) return undefined;
      if (block.length === 0) return null;
      this.#received = Buffer.concat([this.#received, block]);
    }
  }
}
