import { written } from '../addresses.ts';
import { type Ground, type Passage, type StartFront, startFront } from '../fronts/front.ts';

/** HAProxy with a backend for each passage. */
export const startHaproxy: StartFront = (ground, passages) =>
  startFront(ground, 'haproxy', ['-db', '-f', 'CONF'], (placed) => configuration(placed, passages));

function configuration(ground: Ground, passages: readonly Passage[]): string {
  return `global
  maxconn 500
defaults
  mode http
  option forwardfor
  timeout connect 10s
  timeout client 60s
  timeout server 60s
fcgi-app app
  docroot ${ground.directory}
  path-info ^()(/.*)$
frontend front
  bind ${written(ground.plain)}
  bind ${written(ground.secure)} ssl crt ${ground.both}
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
${passages.map(({ host }) => `  use_backend ${host} if { hdr(host) ${host} }`).join('\n')}
${passages.map(backend).join('\n')}
`;
}

function backend({ host, protocol, place, backend: name }: Passage): string {
  const close = name === 'uWSGI' ? '\n  option http-server-close' : '';
  if (protocol === 'http') return `backend ${host}${close}\n  server one ${written(place)}`;
  return `backend ${host}${close}\n  use-fcgi-app app\n  server one ${written(place)} proto fcgi`;
}
