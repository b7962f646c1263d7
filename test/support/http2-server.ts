import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Connections } from '../../src/http/http1/http1-server.ts';
import { Http2Connections } from '../../src/http/http2/http2-server.ts';
import type { Request } from '../../src/http/message.ts';
import type { Refusal } from '../../src/http/refusal.ts';
import type { ConnectionOptions } from '../../src/http/transport/server-context.ts';

/** What became of a request, as the access log gets it. */
export interface Answered {
  readonly path: string;
  readonly status: number;
  readonly bodyBytes: number;
}

export interface ProtocolServer {
  readonly port: number;
  readonly connections: Connections | Http2Connections;
  readonly answered: readonly Answered[];
  readonly errors: readonly unknown[];
  readonly refused: readonly Refusal[];
  close(): void;
}

export interface ProtocolServerOptions extends Partial<ConnectionOptions> {
  readonly handle: ConnectionOptions['handle'];
  /** Key and certificate: speaks TLS, with ALPN. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

/** Serves in this process by one protocol, on a port of its own. */
export async function startProtocolServer(
  protocol: 'HTTP/1.1' | 'HTTP/2',
  options: ProtocolServerOptions,
): Promise<ProtocolServer> {
  const answered: Answered[] = [];
  const errors: unknown[] = [];
  const refused: Refusal[] = [];
  const all: ConnectionOptions = {
    limits: {},
    onAnswered: ({ path }: Request, status, bodyBytes) => answered.push({ path, status, bodyBytes }),
    onError: (error) => errors.push(error),
    onRefused: (refusal) => refused.push(refusal),
    ...options,
  };
  const connections = protocol === 'HTTP/2' ? new Http2Connections(all) : new Connections(all);
  const accept = (socket: Socket | TLSSocket) => connections.accept(socket, 0);
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: protocol === 'HTTP/1.1' }, accept)
      : createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    connections.destroy();
  };
  return { port: (server.address() as AddressInfo).port, connections, answered, errors, refused, close };
}
