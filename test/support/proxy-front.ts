import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Connections } from '../../src/http/http1/http1-server.ts';
import type { Request } from '../../src/http/message.ts';
import type { Backend } from '../../src/proxy/backend.ts';
import { type ReverseProxy, type ReverseProxyOptions, reverseProxy } from '../../src/proxy/reverse-proxy.ts';

const DEFAULTS: Omit<ReverseProxyOptions, 'backends' | 'onError'> = {
  connectTimeoutMs: 10_000,
  responseTimeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  keepAliveMax: 8,
  keepAliveTimeoutMs: 10_000,
  hostHeader: 'client',
  responseHeadBytesMax: 32_768,
  responseHeadCountMax: 100,
  forwarded: 'x-forwarded',
};

/** A server of ours that passes everything on. */
export class ProxyFront {
  readonly proxy: ReverseProxy;
  readonly connections: Connections;
  /** What the proxy told of backends. */
  readonly failures: string[] = [];
  /** What the server told of responses, and anything else that went wrong. */
  readonly errors: string[] = [];
  /** Statuses of answered requests. */
  readonly answered: number[] = [];
  port = 0;
  readonly #server: Server;

  private constructor(
    backends: readonly Backend[],
    options: Partial<ReverseProxyOptions>,
    derive: (request: Request) => Request,
  ) {
    const onError = (message: string): void => {
      this.failures.push(message);
    };
    this.proxy = reverseProxy({ ...DEFAULTS, ...options, backends, onError });
    this.connections = new Connections({
      handle: (request) => this.proxy.handle(derive(request)),
      limits: {},
      onAnswered: (_request, status) => this.answered.push(status),
      onError: (error) => this.errors.push(error instanceof Error ? error.message : String(error)),
    });
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.connections.accept(socket, 0),
    );
  }

  /** Listens. `derive` stands for the handlers before the proxy. */
  static async start(
    backends: readonly Backend[],
    options: Partial<ReverseProxyOptions> = {},
    derive: (request: Request) => Request = (request) => request,
  ): Promise<ProxyFront> {
    const front = new ProxyFront(backends, options, derive);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    front.port = (front.#server.address() as AddressInfo).port;
    return front;
  }

  stop(): void {
    this.#server.close();
    this.connections.destroy();
    this.proxy.destroy();
  }
}
