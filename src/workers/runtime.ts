import type { Socket } from 'node:net';
import { join } from 'node:path';
import { readMessages } from './channel.ts';
import { removeLeftovers } from './leftovers.ts';
import type { FromPython } from './messages.ts';
import { PrivateDirectory, runtimeBase, SOCKET_NAME, temporaryBase } from './private-directory.ts';

export type Hello = Extract<FromPython, { kind: 'zygote' | 'worker' | 'lane' }>;

export interface RuntimeEvents {
  /** Receives each connection with its first message. Further bytes stay unread until the next reader attaches. */
  readonly onHello: (hello: Hello, socket: Socket) => void;
  readonly onError: (message: string) => void;
}

/** A connection that does not say in this time which process it belongs to is closed. */
const HELLO_MS = 10_000;

/**
 * What the server process shares with its Python processes: their socket, the scoreboards and spool files, in one or two
 * private directories. The zygote removes them when the server process was killed.
 */
export class Runtime {
  readonly #events: RuntimeEvents;
  readonly #sockets: PrivateDirectory;
  /** The same one, unless sockets have a place of their own. */
  #spool: PrivateDirectory;

  constructor(events: RuntimeEvents) {
    this.#events = events;
    this.#sockets = new PrivateDirectory(runtimeBase, (socket) => this.#greet(socket), this.#onError);
    this.#spool = this.#sockets;
  }

  /**
   * Makes the directories, and removes those of servers that have died.
   *
   * @throws ViaductError `USAGE`
   */
  async open(): Promise<void> {
    const bases = new Set([runtimeBase(), temporaryBase()]);
    await this.#sockets.open();
    if (bases.size > 1) {
      this.#spool = new PrivateDirectory(temporaryBase, (socket) => socket.destroy(), this.#onError);
      await this.#spool.open();
    }
    for (const base of bases) void removeLeftovers(base);
  }

  /** The directory of the scoreboards. It exists, and so does the socket in it. */
  readonly directory = (): string => this.#sockets.ensure();

  /** The directory of spool files, which exists. */
  readonly spoolDirectory = (): string => this.#spool.ensure();

  close(): void {
    this.#sockets.close();
    this.#spool.close();
  }

  readonly #onError = (error: Error): void => this.#events.onError(`Cannot listen for workers: ${error.message}`);

  #greet(socket: Socket): void {
    socket.on('error', ignore);
    const refuse = (reason: string): void => {
      this.#events.onError(`A connection to the workers' socket was closed: ${reason}`);
      socket.destroy();
    };
    socket.setTimeout(HELLO_MS, () => refuse('it did not say which process it belongs to'));
    const stop = readMessages(
      socket,
      (message) => {
        stop();
        socket.setTimeout(0);
        socket.pause();
        if (isHello(message)) this.#events.onHello(message, socket);
        else refuse('it did not say which process it belongs to');
      },
      refuse,
    );
  }
}

/** The path of the socket in a directory of scoreboards. */
export function socketIn(directory: string): string {
  return join(directory, SOCKET_NAME);
}

function isHello(message: FromPython): message is Hello {
  return message.kind === 'zygote' || message.kind === 'worker' || message.kind === 'lane';
}

/** The close event that follows an error is sufficient. */
function ignore(): void {}
