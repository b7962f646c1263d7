import { Http1Server } from '../http/http1/http1-server.ts';
import type { Http2Server } from '../http/http2/http2-server.ts';
import type { OpenRequest, ProtocolServer } from '../http/transport/protocol-server.ts';
import type { ConnectionChanges, ConnectionOptions } from '../http/transport/server-context.ts';
import { CgiServer } from '../listen/cgi/cgi-server.ts';
import type { ProtocolName } from '../listen/connection-acceptor.ts';
import { DeferredProtocol } from './deferred-protocol.ts';

/** Every protocol that this server speaks with its clients. A further one is a folder with a `ProtocolServer`, and an entry here. */
export class ProtocolServers {
  readonly handlers: ReadonlyMap<ProtocolName, ProtocolServer>;
  readonly #http2: DeferredProtocol<Http2Server>;

  /** `onCgiRefused` is called for what a front-end proxy sent that is not an acceptable request of its protocol. */
  constructor(
    options: Omit<ConnectionOptions, 'onHttp2Preface'>,
    onCgiRefused: (reason: string, remoteAddress: string) => void,
  ) {
    const http2 = new DeferredProtocol<Http2Server>(
      async (): Promise<Http2Server> => {
        const { Http2Server } = await import('../http/http2/http2-server.ts');
        return new Http2Server(options, () => this.size - http2.size);
      },
      (error) => options.onError(error, null),
    );
    const http1 = new Http1Server(
      {
        ...options,
        onHttp2Preface: (socket, early, listener, peer) =>
          http2.pass(socket, (server) => server.accept(socket, listener, peer, early)),
      },
      () => this.size - http1.size,
    );
    const cgi = { http1, limits: options.limits, onRefused: onCgiRefused };
    this.#http2 = http2;
    this.handlers = new Map<ProtocolName, ProtocolServer>([
      ['uwsgi', new CgiServer('uwsgi', cgi)],
      ['fastcgi', new CgiServer('fastcgi', cgi)],
      ['scgi', new CgiServer('scgi', cgi)],
      ['http/1.1', http1],
      ['h2', http2],
    ]);
  }

  /** Loads the code of what was left out for an early start. */
  load(): Promise<void> {
    return this.#http2.load();
  }

  /** Open connections by protocol. */
  get sizes(): (readonly [protocol: ProtocolName, connections: number])[] {
    return Array.from(this.handlers, ([protocol, { size }]) => [protocol, size] as const);
  }

  /** Open connections of all protocols. */
  get size(): number {
    let size = 0;
    for (const server of this.handlers.values()) size += server.size;
    return size;
  }

  *requests(): Iterable<OpenRequest> {
    for (const server of this.handlers.values()) yield* server.requests();
  }

  reconfigure(changes: ConnectionChanges): void {
    for (const server of this.handlers.values()) server.reconfigure(changes);
  }

  async drain(): Promise<void> {
    await Promise.all([...this.handlers.values()].map((server) => server.drain()));
  }

  destroy(): void {
    for (const server of this.handlers.values()) server.destroy();
  }
}
