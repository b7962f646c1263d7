import type { Place } from '../addresses.ts';
import { type Ground, type Passage, type StartFront, startFront } from '../fronts/front.ts';

/** A proxy in front of lighttpd that ended TLS: its module for TLS is a package of its own. */
const OUTER = '127.0.0.3';

/** lighttpd with a condition for each passage. */
export const startLighttpd: StartFront = async (ground, passages) => {
  const front = await startFront(ground, 'lighttpd', ['-D', '-f', 'CONF'], (placed) => configuration(placed, passages));
  return {
    ...front,
    doors(host) {
      const { plain } = front.doors(host);
      const fields = [
        ['X-Forwarded-For', plain.from],
        ['X-Forwarded-Proto', 'https'],
      ] as const;
      return { plain, secure: { ...plain, from: OUTER, fields } };
    },
  };
};

function configuration(ground: Ground, passages: readonly Passage[]): string {
  return `server.bind = "${ground.plain.host}"
server.port = ${ground.plain.port}
server.document-root = "${ground.directory}"
server.errorlog = "${ground.directory}/error.log"
server.modules = ("mod_extforward", "mod_proxy", "mod_fastcgi", "mod_scgi")
server.stream-response-body = 1
server.max-keep-alive-idle = 2
server.upload-dirs = ("${ground.directory}")
extforward.forwarder = ("${OUTER}" => "trust")
extforward.headers = ("X-Forwarded-For")
${passages.map(passageOf).join('\n')}
`;
}

function passageOf({ host, protocol, place }: Passage): string {
  return `$HTTP["host"] == "${host}" {
  ${handler(protocol, place)}
}`;
}

function handler(protocol: Passage['protocol'], { host, port }: Place): string {
  if (protocol === 'http') return `proxy.server = ("" => (("host" => "${host}", "port" => ${port})))`;
  const common = `"host" => "${host}", "port" => ${port}, "check-local" => "disable", "fix-root-scriptname" => "enable"`;
  if (protocol === 'fastcgi') return `fastcgi.server = ("/" => ((${common})))`;
  return `scgi.protocol = "${protocol}"\n  scgi.server = ("/" => ((${common})))`;
}
