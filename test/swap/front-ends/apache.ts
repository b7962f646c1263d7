import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../support/peer.ts';
import { written } from '../addresses.ts';
import { type Ground, type Passage, type StartFront, startFront } from '../fronts/front.ts';

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

/** uWSGI needs a PATH_INFO, which Apache sends over FastCGI and SCGI only when it is told. */
const FOR_UWSGI = 'SetEnvIf Request_URI . proxy-fcgi-pathinfo=unescape proxy-scgi-pathinfo=unescape';

/** Apache with two virtual hosts for each passage, one of them for TLS. */
export const startApache: StartFront = (ground, passages) => {
  mkdirSync(join(ground.directory, 'run'), { recursive: true });
  const name = findProgram('apache2') === null ? 'httpd' : 'apache2';
  return startFront(ground, name, ['-D', 'FOREGROUND', '-f', 'CONF'], (placed) => configuration(placed, passages));
};

function configuration(ground: Ground, passages: readonly Passage[]): string {
  const modules = MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const identity = process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : '';
  return `${modules.join('\n')}
ServerRoot ${ground.directory}
DefaultRuntimeDir run
PidFile run/pid
ErrorLog error.log
LogLevel warn
${identity}
ServerName localhost
Listen ${written(ground.plain)}
Listen ${written(ground.secure)}
StartServers 1
ThreadsPerChild 25
KeepAliveTimeout 2
SSLCertificateFile ${ground.certificate}
SSLCertificateKeyFile ${ground.key}
MergeSlashes Off
${passages.map((passage) => hosts(ground, passage)).join('\n')}
`;
}

function hosts({ plain, secure }: Ground, passage: Passage): string {
  const { host, protocol } = passage;
  const content = `ServerName ${host}
  AllowEncodedSlashes NoDecode
  ProxyPreserveHost On
  SetEnv proxy-sendcl 1
  ${passage.backend === 'uWSGI' ? FOR_UWSGI : ''}
  ProxyPass "/" "${SCHEMES[protocol]}://${written(passage.place)}/" ${optionsOf(passage)}`;
  return `<VirtualHost ${written(plain)}>
  ${content}
  RequestHeader set X-Forwarded-Proto http
</VirtualHost>
<VirtualHost ${written(secure)}>
  ${content}
  SSLEngine on
  RequestHeader set X-Forwarded-Proto https
</VirtualHost>`;
}

/** uWSGI closes connections of HTTP without saying so. */
function optionsOf({ protocol, backend }: Passage): string {
  const http = backend === 'uWSGI' ? 'nocanon disablereuse=on' : 'nocanon';
  return `${protocol === 'http' ? http : ''} flushpackets=on`;
}
