import { type Backend, backendName } from '../proxy/backend.ts';
import type { GatewayOptions } from '../proxy/cgi/cgi-options.ts';
import { fastcgi } from '../proxy/cgi/fastcgi.ts';
import { scgi } from '../proxy/cgi/scgi.ts';
import { uwsgi } from '../proxy/cgi/uwsgi.ts';
import { type ExchangeOptions, ExchangingBackend } from '../proxy/client/backend-client.ts';
import { type Http1Options, http1 } from '../proxy/http1/http1-transport.ts';
import type { Clock } from '../proxy/tick-clock.ts';
import type { BackendProtocol, ProtocolOwner } from '../proxy/upstream.ts';
import type { Dialect } from './exchange/dialect.ts';

export type ProtocolOptions = ExchangeOptions &
  Omit<Http1Options, 'closes'> &
  Omit<GatewayOptions, 'keepsConnections' | 'onStderr'> & {
    /** What a backend writes to its error stream, a line at a time. */
    readonly onStderr: (backend: string, line: string) => void;
  };

/** The way to `backend`, in the protocol that it speaks. */
export function protocolOf(
  backend: Backend,
  clock: Clock,
  options: ProtocolOptions,
  owner: ProtocolOwner,
): BackendProtocol {
  return new ExchangingBackend(backend, dialectOf(backend, options), clock, options, owner);
}

function dialectOf(backend: Backend, options: ProtocolOptions): Dialect {
  const gatewayOptions = {
    ...options,
    keepsConnections: options.keepAliveMax > 0,
    onStderr: (line: string) => options.onStderr(backendName(backend), line),
  };
  switch (backend.protocol) {
    case 'uwsgi':
      return uwsgi(gatewayOptions);
    case 'fastcgi':
      return fastcgi(gatewayOptions);
    case 'scgi':
      return scgi(gatewayOptions);
    default:
      return http1(backend, { ...options, closes: options.keepAliveMax === 0 });
  }
}
