import { type Address, formatAddress } from '../addresses.ts';
import { type Route, type Setup, type StartFrontEnd, startFrontEnd } from './front-end.ts';

/** The variables in nginx's own files for these protocols, for an application at the root. */
const VARIABLES: readonly (readonly [string, string])[] = [
  ['QUERY_STRING', '$query_string'],
  ['REQUEST_METHOD', '$request_method'],
  ['CONTENT_TYPE', '$content_type'],
  ['CONTENT_LENGTH', '$content_length'],
  ['REQUEST_URI', '$request_uri'],
  ['SCRIPT_NAME', '""'],
  ['PATH_INFO', '$document_uri'],
  ['DOCUMENT_ROOT', '$document_root'],
  ['SERVER_PROTOCOL', '$server_protocol'],
  ['REQUEST_SCHEME', '$scheme'],
  ['HTTPS', '$https if_not_empty'],
  ['HTTP_X_FORWARDED_FOR', '$proxy_add_x_forwarded_for'],
  ['HTTP_X_FORWARDED_PROTO', '$scheme'],
  ['REMOTE_ADDR', '$remote_addr'],
  ['REMOTE_PORT', '$remote_port'],
  ['SERVER_PORT', '$server_port'],
  ['SERVER_NAME', '$server_name'],
];

/** nginx with one server for each route. */
export const startNginx: StartFrontEnd = (t, files, routes) =>
  startFrontEnd(t, files, 'nginx', ['-p', files.directory, '-e', 'stderr', '-c', 'CONF'], (setup) =>
    configuration(setup, routes),
  );

function configuration(setup: Setup, routes: readonly Route[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; default_type text/plain; server_names_hash_bucket_size 128;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
  ssl_certificate ${setup.certificate}; ssl_certificate_key ${setup.key};
  client_max_body_size 0; merge_slashes off;
  ${routes.map((route) => server(setup, route)).join('\n  ')}
}
`;
}

function server({ plain, secure }: Setup, { host, protocol, address }: Route): string {
  return `server {
    listen ${formatAddress(plain)}; listen ${formatAddress(secure)} ssl; server_name ${host};
    location / { ${protocol === 'http' ? proxy(address) : cgi(protocol, address)} }
  }`;
}

function proxy(address: Address): string {
  return `proxy_pass http://${formatAddress(address)}; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;`;
}

function cgi(protocol: string, address: Address): string {
  const more = protocol === 'scgi' ? ([['SCGI', '1']] as const) : [];
  const variables = [...VARIABLES, ...more].map(([name, value]) => `${protocol}_param ${name} ${value};`);
  return `${protocol}_pass ${formatAddress(address)}; ${protocol}_buffering off;
      ${variables.join(' ')}`;
}
