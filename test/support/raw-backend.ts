import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Backend } from '../../src/proxy/backend.ts';

/** A connection to a `RawBackend` and what came on it, as latin-1. */
export interface RawConnection {
  readonly socket: Socket;
  /** Counted from 1. */
  readonly number: number;
  received: string;
}

/** A server that speaks in raw octets, so that it can misbehave. */
export class RawBackend {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;

  private constructor(
    onData: (connection: RawConnection, block: Buffer) => void,
    onOpen: (connection: RawConnection) => void,
  ) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection: RawConnection = { socket, number: this.connections.length + 1, received: '' };
      this.connections.push(connection);
      socket.on('error', () => {});
      socket.on('data', (block: Buffer) => {
        connection.received += block.toString('latin1');
        onData(connection, block);
      });
      onOpen(connection);
    });
  }

  /** Calls `onData` for each block that comes. */
  static async start(
    onData: (connection: RawConnection, block: Buffer) => void,
    onOpen: (connection: RawConnection) => void = () => {},
  ): Promise<RawBackend> {
    const backend = new RawBackend(onData, onOpen);
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  /** Answers each request that has no content with what `answer` returns for it. */
  static answering(answer: (request: string, connection: RawConnection) => string | Buffer): Promise<RawBackend> {
    return RawBackend.start((connection) => {
      for (;;) {
        const end = connection.received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const request = connection.received.slice(0, end + 4);
        connection.received = connection.received.slice(end + 4);
        const octets = answer(request, connection);
        if (octets.length > 0) connection.socket.write(octets, 'latin1');
      }
    });
  }

  get backend(): Backend {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  stop(): void {
    this.#server.close();
    for (const { socket } of this.connections) socket.destroy();
  }
}
