import { type Backend, backendName } from './backend.ts';
import type { CgiOptions } from './cgi/cgi-options.ts';
import { fastcgi } from './cgi/fastcgi.ts';
import { scgi } from './cgi/scgi.ts';
import { uwsgi } from './cgi/uwsgi.ts';
import { BackendClient, type BackendClientOptions } from './client/backend-client.ts';
import type { Transport } from './client/transport.ts';
import { type Http1Options, http1 } from './http1/http1-transport.ts';
import { Http2Client } from './http2/http2-client.ts';
import type { TickClock } from './tick-clock.ts';
import type { UpstreamClient, UpstreamClientOwner } from './upstream.ts';

export type UpstreamClientOptions = BackendClientOptions &
  Omit<Http1Options, 'closes'> &
  Omit<CgiOptions, 'keepsConnections' | 'onStderr'> & {
    /** Called for each line that a backend writes to its error stream. */
    readonly onStderr: (backend: string, line: string) => void;
  };

export type CreateClient = (
  backend: Backend,
  clock: TickClock,
  options: UpstreamClientOptions,
  owner: UpstreamClientOwner,
) => UpstreamClient;

/** Creates the client for `backend`: the one of HTTP/2, or the one of the other protocols with the backend's transport. */
export function createClient(
  backend: Backend,
  clock: TickClock,
  options: UpstreamClientOptions,
  owner: UpstreamClientOwner,
): UpstreamClient {
  if (backend.protocol === 'http2') return new Http2Client(backend, clock, options, owner);
  return new BackendClient(backend, transportOf(backend, options), clock, options, owner);
}

function transportOf(backend: Backend, options: UpstreamClientOptions): Transport {
  const cgiOptions = {
    ...options,
    keepsConnections: options.keepAliveMax > 0,
    onStderr: (line: string) => options.onStderr(backendName(backend), line),
  };
  switch (backend.protocol) {
    case 'uwsgi':
      return uwsgi(cgiOptions);
    case 'fastcgi':
      return fastcgi(cgiOptions);
    case 'scgi':
      return scgi(cgiOptions);
    default:
      return http1(backend, { ...options, closes: options.keepAliveMax === 0 });
  }
}
