import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { asError } from '../../errors.ts';

/** Answers requests of Node's `http` module: an Express application, Koa's `callback()`, Fastify's `routing`, or Vite's `middlewares`. */
export type NodeListener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** The two ends of a connection, as a listener sees them. */
export interface ConnectionEnds {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly encrypted: boolean;
}

/** A connection to an embedded server, for one request. */
export interface EmbeddedConnection {
  readonly socket: Duplex;
  /** The error of the listener; null for none. */
  failure: Error | null;
}

/** Node's HTTP server without an address. Its connections are made here, in memory. */
export class EmbeddedServer {
  readonly #server: Server;
  readonly #connections = new WeakMap<object, EmbeddedConnection>();

  constructor(listener: NodeListener) {
    this.#server = createServer({ keepAlive: false, requestTimeout: 0, headersTimeout: 0 }, async (req, res) => {
      try {
        await listener(req, res);
      } catch (error) {
        const connection = this.#connections.get(req.socket);
        if (connection !== undefined) connection.failure = asError(error);
        req.socket.destroy();
      }
    });
    this.#server.keepAliveTimeout = 0;
  }

  connect(ends: ConnectionEnds): EmbeddedConnection {
    const [inside, socket] = duplexPair();
    // A side that breaks off destroys the other side. A side that has sent everything lets the other side read it.
    inside.once('close', () => {
      if (!inside.writableFinished) socket.destroy();
    });
    socket.once('close', () => inside.destroy());
    for (const side of [inside, socket]) {
      side.on('error', () => {}); // the other side reports the error
      Object.assign(side, SOCKET_METHODS);
    }
    Object.assign(inside, ends, { remoteFamily: family(ends.remoteAddress), localAddress: '127.0.0.1' });
    const connection: EmbeddedConnection = { socket, failure: null };
    this.#connections.set(inside, connection);
    this.#server.emit('connection', inside);
    return connection;
  }
}

/** Methods of `net.Socket` that a stream does not have. They have no effect on a connection in memory. */
const SOCKET_METHODS = {
  setTimeout: itself,
  setNoDelay: itself,
  setKeepAlive: itself,
  ref: itself,
  unref: itself,
  address: () => ({}),
};

function itself<T>(this: T): T {
  return this;
}

function family(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}
