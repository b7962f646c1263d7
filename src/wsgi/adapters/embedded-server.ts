import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';

/** Answers requests of Node's `http` module: an Express application, Koa's `callback()`, Fastify's `routing`, Vite's `middlewares`. */
export type NodeListener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** What a listener sees of the connection that its request has come by. */
export interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  readonly encrypted: boolean;
}

/** A connection to an inner server, for one request. */
export interface Visit {
  readonly socket: Duplex;
  /** What the listener has failed with; null while it has not. */
  failure: Error | null;
}

/** Node's HTTP server without an address: its connections are made here, and lie in memory. */
export class InnerServer {
  readonly #server: Server;
  readonly #visits = new WeakMap<object, Visit>();

  constructor(listener: NodeListener) {
    this.#server = createServer({ keepAlive: false, requestTimeout: 0, headersTimeout: 0 }, async (req, res) => {
      try {
        await listener(req, res);
      } catch (error) {
        const visit = this.#visits.get(req.socket);
        if (visit !== undefined) visit.failure = error instanceof Error ? error : new Error(String(error));
        req.socket.destroy();
      }
    });
    this.#server.keepAliveTimeout = 0;
  }

  connect(ends: Ends): Visit {
    const [inside, socket] = duplexPair();
    // A side that breaks off takes the other along; one that has said all leaves it time to read.
    inside.once('close', () => {
      if (!inside.writableFinished) socket.destroy();
    });
    socket.once('close', () => inside.destroy());
    for (const side of [inside, socket]) {
      side.on('error', () => {}); // whoever waits for the other side is told there
      Object.assign(side, SOCKET_METHODS);
    }
    Object.assign(inside, ends, { remoteFamily: family(ends.remoteAddress), localAddress: '127.0.0.1' });
    const visit: Visit = { socket, failure: null };
    this.#visits.set(inside, visit);
    this.#server.emit('connection', inside);
    return visit;
  }
}

/** Of `net.Socket`, what a stream does not have. There is nothing that they could change here. */
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
