import { type Backend, backendName } from './backend.ts';
import type { Clock } from './clock.ts';
import type { Dialect } from './exchange/dialect.ts';
import { type ExchangeOptions, ExchangingBackend } from './exchange/exchanging-backend.ts';
import { fastcgi } from './gateways/fastcgi.ts';
import type { GatewayOptions } from './gateways/gateway-options.ts';
import { scgi } from './gateways/scgi.ts';
import { uwsgi } from './gateways/uwsgi.ts';
import { type Http1Options, http1 } from './http1/http1-dialect.ts';
import type { BackendProtocol, ProtocolOwner } from './protocol.ts';

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
