import type { Address } from '../addresses.ts';
import { type Route, type Setup, type StartFrontEnd, startFrontEnd } from './front-end.ts';

/** The address of a proxy in front of lighttpd that has ended TLS. The TLS module of lighttpd is a separate package. */
const OUTER = '127.0.0.3';

/** lighttpd with a condition for each route. */
export const startLighttpd: StartFrontEnd = async (t, files, routes) => {
  const entrancesFor = await startFrontEnd(t, files, 'lighttpd', ['-D', '-f', 'CONF'], (setup) =>
    configuration(setup, routes),
  );
  return (host) => {
    const { plain } = entrancesFor(host);
    const fields = [
      ['X-Forwarded-For', plain.from],
      ['X-Forwarded-Proto', 'https'],
    ] as const;
    return { plain, secure: { ...plain, from: OUTER, fields } };
  };
};

function configuration(setup: Setup, routes: readonly Route[]): string {
  return `server.bind = "${setup.plain.host}"
server.port = ${setup.plain.port}
server.document-root = "${setup.directory}"
server.errorlog = "${setup.directory}/error.log"
server.modules = ("mod_extforward", "mod_proxy", "mod_fastcgi", "mod_scgi")
server.stream-response-body = 1
server.max-keep-alive-idle = 2
server.upload-dirs = ("${setup.directory}")
extforward.forwarder = ("${OUTER}" => "trust")
extforward.headers = ("X-Forwarded-For")
${routes.map(routeOf).join('\n')}
`;
}

function routeOf({ host, protocol, address }: Route): string {
  return `$HTTP["host"] == "${host}" {
  ${handler(protocol, address)}
}`;
}

function handler(protocol: Route['protocol'], { host, port }: Address): string {
  if (protocol === 'http') return `proxy.server = ("" => (("host" => "${host}", "port" => ${port})))`;
  const common = `"host" => "${host}", "port" => ${port}, "check-local" => "disable", "fix-root-scriptname" => "enable"`;
  if (protocol === 'fastcgi') return `fastcgi.server = ("/" => ((${common})))`;
  return `scgi.protocol = "${protocol}"\n  scgi.server = ("/" => ((${common})))`;
}
