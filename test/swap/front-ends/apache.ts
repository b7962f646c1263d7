import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../support/peer.ts';
import { formatAddress } from '../addresses.ts';
import { type Route, type Setup, type StartFrontEnd, startFrontEnd } from './front-end.ts';

const MODULES = [
  'mpm_event',
  'authz_core',
  'env',
  'setenvif',
  'headers',
  'socache_shmcb',
  'ssl',
  'proxy',
  'proxy_http',
  'proxy_uwsgi',
  'proxy_fcgi',
  'proxy_scgi',
];
const SCHEMES = { http: 'http', uwsgi: 'uwsgi', fastcgi: 'fcgi', scgi: 'scgi' } as const;

/** uWSGI needs a PATH_INFO. Apache sends it over FastCGI and SCGI only with these variables. */
const FOR_UWSGI = 'SetEnvIf Request_URI . proxy-fcgi-pathinfo=unescape proxy-scgi-pathinfo=unescape';

/** Apache with two virtual hosts for each route, one of them for TLS. */
export const startApache: StartFrontEnd = (t, files, routes) => {
  mkdirSync(join(files.directory, 'run'), { recursive: true });
  const name = findProgram('apache2') === null ? 'httpd' : 'apache2';
  return startFrontEnd(t, files, name, ['-D', 'FOREGROUND', '-f', 'CONF'], (setup) => configuration(setup, routes));
};

function configuration(setup: Setup, routes: readonly Route[]): string {
  const modules = MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const identity = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : '';
  return `${modules.join('\n')}
ServerRoot ${setup.directory}
DefaultRuntimeDir run
PidFile run/pid
ErrorLog error.log
LogLevel warn
${identity}
ServerName localhost
Listen ${formatAddress(setup.plain)}
Listen ${formatAddress(setup.secure)}
StartServers 1
ThreadsPerChild 25
KeepAliveTimeout 2
SSLCertificateFile ${setup.certificate}
SSLCertificateKeyFile ${setup.key}
MergeSlashes Off
${routes.map((route) => hosts(setup, route)).join('\n')}
`;
}

function hosts({ plain, secure }: Setup, route: Route): string {
  const { host, protocol } = route;
  const content = `ServerName ${host}
  AllowEncodedSlashes NoDecode
  ProxyPreserveHost On
  SetEnv proxy-sendcl 1
  ${route.backend === 'uWSGI' ? FOR_UWSGI : ''}
  ProxyPass "/" "${SCHEMES[protocol]}://${formatAddress(route.address)}/" ${optionsOf(route)}`;
  return `<VirtualHost ${formatAddress(plain)}>
  ${content}
  RequestHeader set X-Forwarded-Proto http
</VirtualHost>
<VirtualHost ${formatAddress(secure)}>
  ${content}
  SSLEngine on
  RequestHeader set X-Forwarded-Proto https
</VirtualHost>`;
}

/** uWSGI closes HTTP connections without an announcement. */
function optionsOf({ protocol, backend }: Route): string {
  const http = backend === 'uWSGI' ? 'nocanon disablereuse=on' : 'nocanon';
  return `${protocol === 'http' ? http : ''} flushpackets=on`;
}
