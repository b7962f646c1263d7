import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Backend } from '../../src/proxy/backend.ts';
import type { Lifetime } from './lifetime.ts';

/** A connection to a test's backend, and what came on it, as latin-1. */
export interface BackendConnection {
  readonly socket: Socket;
  /** Counted from 1. */
  readonly number: number;
  received: string;
}

/** A backend that speaks in raw octets, so that it can misbehave. */
export interface TestBackend {
  /** Its address, as a proxy takes it. */
  readonly backend: Backend;
  readonly port: number;
  readonly url: string;
  readonly connections: readonly BackendConnection[];
  /** Stops it now. The end of its lifetime stops it too. */
  stop(): void;
}

/** What a backend does on each connection. */
export interface BackendBehaviour {
  /** Called for each block that comes. */
  readonly onData?: (connection: BackendConnection, block: Buffer) => void;
  readonly onOpen?: (connection: BackendConnection) => void;
}

/** The octets that answer a request without content; none when they are empty. */
export type AnswerRequest = (request: string, connection: BackendConnection) => string | Buffer;

/**
 * Starts a backend of raw octets on a free port of 127.0.0.1. A function answers each request; it gets the head of the request. A
 * behaviour gets the blocks as they come.
 */
export async function startBackend(t: Lifetime, behaviour: AnswerRequest | BackendBehaviour): Promise<TestBackend> {
  const { onData, onOpen } = typeof behaviour === 'function' ? answering(behaviour) : behaviour;
  const connections: BackendConnection[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection: BackendConnection = { socket, number: connections.length + 1, received: '' };
    connections.push(connection);
    socket.on('error', () => {});
    socket.on('data', (block: Buffer) => {
      connection.received += block.toString('latin1');
      onData?.(connection, block);
    });
    onOpen?.(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  };
  t.after(stop);
  const { port } = server.address() as AddressInfo;
  return { backend: { host: '127.0.0.1', port }, port, url: `http://127.0.0.1:${port}`, connections, stop };
}

function answering(answer: AnswerRequest): BackendBehaviour {
  return {
    onData(connection) {
      for (;;) {
        const end = connection.received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const request = connection.received.slice(0, end + 4);
        connection.received = connection.received.slice(end + 4);
        const octets = answer(request, connection);
        if (octets.length > 0) connection.socket.write(octets, 'latin1');
      }
    },
  };
}
