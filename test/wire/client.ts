import { connect, createServer, type Server, type Socket } from 'node:net';
import { PATIENCE_MS } from '../support/wait.ts';
import type { Answers } from './answers.ts';
import { readAnswers } from './answers.ts';
import type { Step } from './case.ts';

/** How the octets are cut into writes: returns the length of the piece with this index. */
export type Cut = (position: number) => number;

/** The two ends of one loopback connection, in this process. */
export interface Wire {
  readonly client: Client;
  /** The accepted socket. Another object may use its connection now, but this socket still knows how much was read. */
  readonly server: Socket;
  close(): void;
}

/** Opens a connection. Calls `accept` with its server end before the first octet is sent. */
export async function openWire(accept: (socket: Socket) => void): Promise<Wire> {
  const listener: Server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => {
    listener.once('connection', (socket) => {
      accept(socket);
      resolve(socket);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  const socket = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const client = new Client(socket);
  const server = await accepted;
  listener.close();
  return {
    client,
    server,
    close: () => socket.destroy(),
  };
}

/** A client that plays the steps of a case and stores everything that it receives. */
export class Client {
  received = '';
  /** True once the server has closed its sending half. */
  ended = false;
  /** The error of a reset connection: then some octets of the server may be lost. */
  reset: Error | null = null;
  readonly #socket: Socket;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (block: Buffer) => {
      this.received += block.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.reset = error;
      this.#wake();
    });
  }

  /**
   * Plays the steps of a case, with the octets cut into pieces by `cut`. It waits until `server` has read each piece, so that pieces do
   * not join on their way. It stops early once the server has closed.
   */
  async play(steps: readonly Step[], server: Socket, cut: Cut, methods: readonly string[]): Promise<void> {
    for (const step of steps) {
      if (this.ended || this.reset !== null) return;
      if (step.do === 'send') await this.#send(step.octets, server, cut);
      else if (step.do === 'end') this.#socket.end();
      else if (step.do === 'await') {
        await this.until((answers) => statusesOf(answers).includes(step.status), methods, `an answer ${step.status}`);
      }
    }
  }

  /** Waits until `done` returns true, or for the end of the connection. Throws when neither happens. */
  async until(done: (answers: Answers) => boolean, methods: readonly string[], what: string): Promise<Answers> {
    let answers = readAnswers(this.received, methods, this.ended);
    await this.#wait(() => {
      answers = readAnswers(this.received, methods, this.ended);
      return this.ended || this.reset !== null || done(answers);
    }, what);
    return answers;
  }

  /** Waits for the end of the connection, whatever arrives before it. */
  async untilEnded(what: string): Promise<void> {
    await this.#wait(() => this.ended || this.reset !== null, what);
  }

  end(): void {
    this.#socket.end();
  }

  async #wait(done: () => boolean, what: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE_MS);
    try {
      while (!done()) {
        if (late)
          throw new Error(`waited in vain for ${what}; received ${JSON.stringify(this.received.slice(0, 500))}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(octets: string, server: Socket, cut: Cut): Promise<void> {
    const bytes = Buffer.from(octets, 'latin1');
    let read = server.bytesRead;
    for (let at = 0, piece = 0; at < bytes.length; piece++) {
      if (this.ended || this.reset !== null) return;
      const block = bytes.subarray(at, at + cut(piece));
      this.#socket.write(block);
      at += block.length;
      read += block.length;
      // A server that has paused the socket reads nothing for a while: then the next piece is sent anyway.
      for (let turn = 0; turn < 100 && server.bytesRead < read; turn++) {
        await new Promise(setImmediate);
      }
    }
  }
}

function statusesOf(answers: Answers): number[] {
  return [...answers.interim, ...answers.final.map((answer) => answer.status)];
}
