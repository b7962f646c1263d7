import type { Request } from '../../src/http/message.ts';
import type { Backend } from '../../src/proxy/backend.ts';
import { type ReverseProxy, reverseProxy } from '../../src/proxy/reverse-proxy.ts';
import type { ReverseProxyOptions } from '../../src/proxy/reverse-proxy-options.ts';
import type { Lifetime } from './lifetime.ts';
import { type ServeOptions, serveHandler, type TestServer } from './serve-handler.ts';

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

export interface ProxyOptions extends Partial<ReverseProxyOptions> {
  /** What the handlers before the proxy make of a request. */
  readonly derive?: (request: Request) => Request;
  /** What its clients speak; see `ServeOptions`. */
  readonly protocol?: ServeOptions['protocol'];
  readonly tls?: ServeOptions['tls'];
}

export interface ProxyServer extends TestServer {
  readonly proxy: ReverseProxy;
  /** What the proxy reported of its backends. `errors` has the other errors. */
  readonly failures: string[];
}

/** Starts a server in this process that passes each request on to one of `backends`. */
export async function serveProxy(
  t: Lifetime,
  backends: readonly Backend[],
  { derive = (request) => request, protocol = 'HTTP/1.1', tls, ...options }: ProxyOptions = {},
): Promise<ProxyServer> {
  const failures: string[] = [];
  const onError = (message: string): void => void failures.push(message);
  const proxy = reverseProxy({ ...DEFAULTS, ...options, backends, onError });
  const server = await serveHandler(t, (request) => proxy.handle(derive(request)), {
    protocol,
    ...(tls === undefined ? {} : { tls }),
  });
  const stop = () => {
    server.stop();
    proxy.destroy();
  };
  t.after(stop);
  return { ...server, proxy, failures, stop };
}
