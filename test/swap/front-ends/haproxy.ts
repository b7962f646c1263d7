import { formatAddress } from '../addresses.ts';
import { type Route, type Setup, type StartFrontEnd, startFrontEnd } from './front-end.ts';

/** HAProxy with a backend for each route. */
export const startHaproxy: StartFrontEnd = (t, files, routes) =>
  startFrontEnd(t, files, 'haproxy', ['-db', '-f', 'CONF'], (setup) => configuration(setup, routes));

function configuration(setup: Setup, routes: readonly Route[]): string {
  return `global
  maxconn 500
defaults
  mode http
  option forwardfor
  timeout connect 10s
  timeout client 60s
  timeout server 60s
fcgi-app app
  docroot ${setup.directory}
  path-info ^()(/.*)$
frontend all
  bind ${formatAddress(setup.plain)}
  bind ${formatAddress(setup.secure)} ssl crt ${setup.both}
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
${routes.map(({ host }) => `  use_backend ${host} if { hdr(host) ${host} }`).join('\n')}
${routes.map(backend).join('\n')}
`;
}

function backend({ host, protocol, address, backend: name }: Route): string {
  const close = name === 'uWSGI' ? '\n  option http-server-close' : '';
  if (protocol === 'http') return `backend ${host}${close}\n  server one ${formatAddress(address)}`;
  return `backend ${host}${close}\n  use-fcgi-app app\n  server one ${formatAddress(address)} proto fcgi`;
}
