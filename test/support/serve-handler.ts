import type { Handler, HandlerResult } from '../../src/http/handler.ts';
import type { Request } from '../../src/http/message.ts';
import type { ConnectionOptions } from '../../src/http/transport/server-context.ts';
import { type CgiProtocol, parseAddress } from '../../src/listen/address.ts';
import type { ConnectionAcceptorOptions } from '../../src/listen/connection-acceptor.ts';
import { Listener } from '../../src/listen/listener.ts';
import { type TerminatorOptions, TlsTerminator } from '../../src/listen/tls/tls-terminator.ts';
import { compose } from '../../src/routing/chain.ts';
import { ProtocolServers } from '../../src/server/protocol-servers.ts';
import type { Lifetime } from './lifetime.ts';

/** Answers a request. */
export type Answer = (request: Request) => HandlerResult;

/** What a server answers with: one function, or a chain of handlers whose last one answers what the others pass on. */
export type Served = Answer | readonly [...Handler[], Answer];

export interface ServeOptions
  extends Partial<Omit<ConnectionOptions, 'handle' | 'onHttp2Preface'>>,
    Partial<Omit<ConnectionAcceptorOptions, 'tls' | 'cgi' | 'onRefused'>> {
  /** What the server speaks without TLS, `HTTP/1.1` by default. `HTTP/2` is HTTP/2 by prior knowledge (h2c). */
  readonly protocol?: 'HTTP/1.1' | 'HTTP/2' | CgiProtocol;
  /** Speaks TLS. The client then chooses HTTP/1.1 or HTTP/2 by ALPN. */
  readonly tls?: Partial<TerminatorOptions>;
  /** As in the setting `listen`; a free port of 127.0.0.1 by default. */
  readonly address?: string;
}

/** What became of a request, as the access log gets it. */
export interface AnsweredRequest {
  readonly path: string;
  readonly status: number;
  readonly bodyBytes: number;
}

/** A server in this process. */
export interface TestServer {
  /** 0 on a Unix socket. */
  readonly port: number;
  readonly listener: Listener;
  /** Speaks TLS only if the options said so. */
  readonly terminator: TlsTerminator;
  /** The connections of all protocols. */
  readonly connections: ProtocolServers;
  /** The requests that reached the handler. */
  readonly requests: readonly Request[];
  /** Empty if the options have an `onAnswered` of their own. */
  readonly answered: readonly AnsweredRequest[];
  /** The statuses of `answered`. */
  readonly statuses: readonly number[];
  /** Messages of the errors that the server reported. */
  readonly errors: readonly string[];
  /** Why requests were refused. */
  readonly refused: readonly string[];
  /** Why connections were refused before they had a protocol. */
  readonly refusedConnections: readonly string[];
  /** Resolves with the next refusal of a connection that has no protocol yet. */
  nextRefusal(): Promise<string>;
  /** Stops the server now. The end of its lifetime stops it too. */
  stop(): void;
}

/** Starts a server in this process: a real listener with the protocols of the product, which answers with `served`. */
export async function serveHandler(t: Lifetime, served: Served, options: ServeOptions = {}): Promise<TestServer> {
  const { protocol = 'HTTP/1.1', tls, address = '127.0.0.1:0', ...others } = options;
  const requests: Request[] = [];
  const answered: AnsweredRequest[] = [];
  const statuses: number[] = [];
  const errors: string[] = [];
  const refused: string[] = [];
  const refusedConnections: string[] = [];
  const waiting: ((reason: string) => void)[] = [];
  const handle = typeof served === 'function' ? served : compose(served.slice(0, -1), served.at(-1) as Answer);
  const connections = new ProtocolServers(
    {
      limits: {},
      onAnswered({ path }, status, bodyBytes) {
        answered.push({ path, status, bodyBytes });
        statuses.push(status);
      },
      onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
      onRefused: ({ reason }) => refused.push(reason),
      ...others,
      handle(request) {
        requests.push(request);
        return handle(request);
      },
    },
    (reason) => refused.push(reason),
  );
  const terminator = new TlsTerminator({ hosts: [], clientCertificates: 'off', clientCa: null, http2: true, ...tls });
  if (tls !== undefined) terminator.load();
  const listener = new Listener(
    {
      index: 0,
      proxyProtocol: null,
      ...others,
      address: parseAddress(address),
      tls: tls === undefined ? null : terminator,
      ...(protocol === 'HTTP/1.1' || protocol === 'HTTP/2' ? {} : { cgi: { protocol, trusted: () => true } }),
      onRefused(reason) {
        refusedConnections.push(reason);
        waiting.shift()?.(reason);
      },
    },
    protocol === 'HTTP/2' ? http2Only(connections) : connections.handlers,
  );
  const stop = () => {
    listener.close();
    connections.destroy();
  };
  t.after(stop);
  await listener.listen();
  const port = listener.address.kind === 'tcp' ? Number(listener.serverPort) : 0;
  const nextRefusal = () => new Promise<string>((resolve) => waiting.push(resolve));
  return {
    port,
    listener,
    terminator,
    connections,
    requests,
    answered,
    statuses,
    errors,
    refused,
    refusedConnections,
    nextRefusal,
    stop,
  };
}

/** Gives connections without TLS to the HTTP/2 server directly, so that nothing else reads the preface before it. */
function http2Only({ handlers }: ProtocolServers): ProtocolServers['handlers'] {
  const http2 = handlers.get('h2');
  return new Map(http2 === undefined ? [] : [['http/1.1', http2]]);
}
