import type { ImportReport } from '../import-report.ts';
import type { Listen, NginxContext, Server } from './context.ts';
import type { Directive } from './tree.ts';

/** Words after an address that Viaduct decides by itself. */
const NEEDLESS =
  /^(?:http2|spdy|reuseport|deferred|bind|backlog=\d+|fastopen=\d+|rcvbuf=\w+|sndbuf=\w+|accept_filter=\w+|so_keepalive=\S+|ipv6only=\w+|setfib=\d+)$/;

/** Reads a `listen` directive; null if it has no counterpart. */
export function readListen(directive: Directive, report: ImportReport): Listen | null {
  const [written = '', ...words] = directive.args;
  if (words.includes('quic')) {
    report.lost(directive, 'Viaduct does not speak HTTP/3');
    return null;
  }
  const address = addressOf(written);
  if (address === null) {
    report.lost(directive, 'Viaduct cannot listen on this address');
    return null;
  }
  const known = new Set(['ssl', 'default_server', 'default', 'proxy_protocol']);
  const unknown = words.filter((word) => !known.has(word) && !NEEDLESS.test(word));
  if (unknown.length > 0) report.differs(directive, `${unknown.join(', ')} has no counterpart`);
  report.took(directive);
  return {
    directive,
    address,
    secure: words.includes('ssl'),
    isDefault: words.includes('default_server') || words.includes('default'),
    proxyProtocol: words.includes('proxy_protocol'),
  };
}

/** `80`, `*:80`, `[::]:80`, `127.0.0.1`, `unix:/run/x.sock` in the form of Viaduct's `listen`, always with a port. */
function addressOf(written: string): string | null {
  if (/^unix:\/./.test(written)) return written;
  if (/^\d{1,5}$/.test(written)) return `0.0.0.0:${written}`;
  const [, host = '', port = '80'] = /^(\*|\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(written) ?? [];
  if (host === '' || Number(port) > 65_535) return null;
  return `${host === '*' ? '0.0.0.0' : host}:${port}`;
}

/** Writes the addresses of all servers, each address once. */
export function writeListens(servers: readonly Server[], { builder, report }: NginxContext): void {
  const all = new Map<string, Listen[]>();
  for (const { listens } of servers) {
    for (const listen of listens) all.set(listen.address, [...(all.get(listen.address) ?? []), listen]);
  }
  for (const [address, listens] of all) {
    const secure = listens.some((listen) => listen.secure);
    const options = listens.some((listen) => listen.proxyProtocol) ? '?proxy_protocol=on' : '';
    const plain = listens.find((listen) => !listen.secure);
    if (secure && plain !== undefined)
      report.differs(plain.directive, 'another server has ssl on this address, so all servers have it');
    builder.push(
      'listen',
      `${secure ? 'https' : 'http'}://${address}${options}`,
      ...listens.map((one) => one.directive),
    );
  }
  if (all.size === 0) builder.assume('listen', ['http://0.0.0.0:80'], "nginx's default");
}
